"""Text written by a network that was trained to tell the next symbol."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tui_nn_datasets import LINE_END, Dataset, encoded, stream
from tui_nn_engine.layers.recurrent import Recurrent
from tui_nn_engine.layers.sequences import RepeatVector
from tui_nn_engine.networks.network import Network

Floats = NDArray[np.float64]
Predict = Callable[[NDArray[Any]], NDArray[Any]]


def sharpened(probabilities: NDArray[Any], temperature: float) -> Floats:
    """Probabilities p (classes,) as p^(1/T) / Σ p^(1/T), float64.

    The softmax of logits divided by T (Ackley, Hinton and Sejnowski, A Learning Algorithm for
    Boltzmann Machines, 1985): below 1 the likely becomes likelier, 0 leaves the likeliest alone,
    above 1 all become more alike.
    """
    p = probabilities.astype(np.float64)
    if temperature == 0:
        powers: Floats = (np.arange(len(p)) == p.argmax()).astype(np.float64)
        return powers
    with np.errstate(divide="ignore"):
        powers = np.exp((np.log(p) - np.log(p.max())) / temperature)
    powers /= powers.sum()
    return powers


def sampling_problem(dataset: Dataset, network: Network) -> str:
    """Why this network can't write this data on, or nothing."""
    if not dataset.is_text:
        return f"{dataset.name!r} is no text: a network writes on what it was trained to read"
    wanted = (*dataset.steps, dataset.classes)
    if network.output_shape != wanted:
        return f"its output is {network.output_shape}; to tell each next symbol it must be {wanted}"
    for name, layer in network.layers:
        backwards = isinstance(layer, Recurrent) and layer.go_backwards
        if backwards or isinstance(layer, RepeatVector):
            return f"{name} has read the whole window first, with the symbols that are to be told"
    return ""


def sampled(
    predict: Predict,
    dataset: Dataset,
    *,
    start: str = "",
    length: int = 100,
    temperature: float = 1.0,
    seed: int = 0,
    index: int = 0,
) -> str:
    """Write text, one symbol after the other, each drawn from what the network says of it.

    The same arguments give the same text. What the network sees is at most the window that it was
    trained on: of longer texts the last symbols. A text of lines ends with its line.

    Args:
        predict: probabilities (1, time, classes) from inputs (1, ...) as the data has them.
        dataset: the text that the network was trained on.
        start: what is written already; the end of a line may be written as a newline.
        length: symbols to write, those of `start` not counted.
        temperature: see `sharpened`; at least 0.
        seed: of the draws, with `index`: which of several samples.
        index: see `seed`.

    Raises:
        ValueError: `start` holds a symbol that the text does not.
    """
    time = dataset.steps[0]
    tokens = _tokens(dataset, start)
    by_line = dataset.lengths is not None
    random = stream(seed, "sampling", index)
    encoding = "tokens" if dataset.x.dtype == np.int64 else "one_hot"
    offset = len(dataset.vocabulary) - dataset.classes
    written = []
    for _ in range(length):
        seen = tokens[-time:]
        row = np.zeros((1, time), np.int64)
        row[0, : len(seen)] = seen
        outputs = predict(encoded(row, dataset.vocabulary, encoding))[0, len(seen) - 1]
        shares = sharpened(outputs, temperature).cumsum()
        drawn = int(np.searchsorted(shares, random.random() * shares[-1], side="right"))
        symbol = dataset.target_names[drawn]
        if by_line and symbol == LINE_END:
            break
        written.append(symbol)
        tokens.append(drawn + offset)
    return (start + "".join(written)).replace(LINE_END, "\n")


def _tokens(dataset: Dataset, start: str) -> list[int]:
    """What the network sees first: `start`, after the end of a line where there are any."""
    number = {symbol: token for token, symbol in enumerate(dataset.vocabulary)}
    symbols = start.replace("\n", LINE_END)
    # A text made small has no capitals, and "An" is how its "an" is begun.
    symbols = "".join(each if each in number else each.lower() for each in symbols)
    if unknown := sorted(set(symbols) - set(dataset.target_names)):
        raise ValueError(f"{dataset.name!r} holds no {unknown[0]!r}, so nothing can follow it")
    if dataset.lengths is not None or not symbols:
        symbols = (LINE_END if LINE_END in number else dataset.vocabulary[0]) + symbols
    return [number[symbol] for symbol in symbols]
