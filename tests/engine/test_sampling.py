"""Sampling draws from what the network says, as often as it says it."""

import numpy as np
import pytest

from tui_nn_datasets import Dataset, load
from tui_nn_engine.experiments.experiment import Experiment
from tui_nn_engine.networks.network import Network
from tui_nn_engine.training.sampling import sampled, sampling_problem, sharpened


def bigram(dataset: Dataset, following: dict[str, dict[str, float]]):
    """A stand-in for a network: what follows a symbol, by a table, at each step."""
    symbols = dataset.vocabulary

    def predict(x: np.ndarray) -> np.ndarray:
        offset = len(symbols) - dataset.classes
        tokens = x if x.dtype == np.int64 else x.argmax(axis=2) + offset
        found = np.zeros((1, tokens.shape[1], dataset.classes))
        for step, token in enumerate(tokens[0]):
            for symbol, share in following.get(symbols[token], {}).items():
                found[0, step, dataset.target_names.index(symbol)] = share
        return found

    return predict


@pytest.fixture
def text(tmp_path):
    path = tmp_path / "own.txt"
    path.write_text("abcabcabcabc\nabc")
    return lambda **options: load("text", path=path, window=4, stride=2, **options)


READS_ON = {"type": "simple_rnn", "units": 2, "return_sequences": True}
LSTM = {"type": "lstm", "units": 2}


def network(*layers):
    """Of windows of 4 symbols, out of 4."""
    tree = {
        "data": {"name": "words"},
        "layers": [*layers, {"type": "dense", "units": 4, "activation": "softmax"}],
        "loss": {"type": "categorical_crossentropy"},
    }
    return Network(Experiment.parse(tree), (4, 4))


def test_temperature_makes_the_likely_likelier_or_all_alike():
    p = np.array([0.5, 0.25, 0.25])
    np.testing.assert_allclose(sharpened(p, 1), p)
    np.testing.assert_allclose(sharpened(p, 0.5), [4 / 6, 1 / 6, 1 / 6])
    np.testing.assert_allclose(sharpened(p, 1e9), np.full(3, 1 / 3), rtol=1e-6)
    assert sharpened(p, 0).tolist() == [1, 0, 0]
    assert sharpened(np.array([1e-30, 0.0, 1.0]), 0.01).tolist() == [0, 0, 1]
    logits = np.array([1.0, -2.0, 0.5])
    by_logits = np.exp(logits / 0.7) / np.exp(logits / 0.7).sum()
    np.testing.assert_allclose(sharpened(np.exp(logits) / np.exp(logits).sum(), 0.7), by_logits)


@pytest.mark.parametrize("encoding", ["one_hot", "tokens"])
def test_it_writes_on_where_the_start_ends_past_the_window(text, encoding):
    data = text(encoding=encoding)
    predict = bigram(data, {"a": {"b": 1.0}, "b": {"c": 1.0}, "c": {"a": 1.0}})
    assert sampled(predict, data, start="ab", length=8) == "abcabcabca"
    assert sampled(predict, data, start="abcabc", length=2) == "abcabcab"


def test_the_end_of_a_line_is_a_newline(text):
    predict = bigram(text(), {"⏎": {"a": 1.0}, "a": {"⏎": 1.0}})
    assert sampled(predict, text(), length=4) == "a\na\n"
    assert sampled(predict, text(), start="a\n", length=1) == "a\na"


@pytest.mark.parametrize("encoding", ["one_hot", "tokens"])
def test_a_text_of_lines_starts_and_ends_a_line(encoding):
    data = load("words", encoding=encoding)
    predict = bigram(data, {"⏎": {"o": 1.0}, "o": {"x": 1.0}, "x": {"⏎": 1.0}})
    assert sampled(predict, data) == "ox"
    assert sampled(predict, data, start="bo") == "box"


def test_symbols_come_as_often_as_the_network_says_and_the_same_each_time(text):
    data = text()
    predict = bigram(data, {s: {"a": 0.7, "b": 0.3} for s in ("⏎", "a", "b")})
    many = sampled(predict, data, length=2000, seed=5)
    assert many == sampled(predict, data, length=2000, seed=5)
    assert many[:50] != sampled(predict, data, length=50, seed=5, index=1)
    assert many[:50] != sampled(predict, data, length=50, seed=6)
    assert many.count("a") / 2000 == pytest.approx(0.7, abs=0.03)
    assert set(sampled(predict, data, length=50, temperature=0)) == {"a"}


def test_what_cannot_be_written_is_refused(text):
    with pytest.raises(ValueError, match=r"holds no 'z', so nothing can follow"):
        sampled(bigram(text(), {}), text(), start="az")
    assert "is no text" in sampling_problem(load("reversing", samples=4), network(READS_ON))
    assert "must be (4, 4)" in sampling_problem(text(), network(LSTM))
    assert sampling_problem(text(), network(READS_ON)) == ""


@pytest.mark.parametrize(
    ("layers", "name"),
    [
        ([{"type": "bidirectional", "layer": READS_ON}], "simple_rnn_2"),
        ([LSTM, {"type": "repeat_vector", "n": 4}], "repeat_vector_1"),
    ],
)
def test_a_network_that_reads_ahead_writes_nothing(text, layers, name):
    assert sampling_problem(text(), network(*layers)).startswith(f"{name} has read the whole")
