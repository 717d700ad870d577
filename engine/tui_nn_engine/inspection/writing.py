"""What a network that was trained on text writes now."""

from dataclasses import dataclass

from tui_nn_engine.training.sampling import sampled, sampling_problem
from tui_nn_engine.training.trainer import Trainer

LINES = 8  # of a text whose lines are sequences
LENGTH = 120  # symbols of any other


@dataclass(frozen=True, slots=True)
class Writing:
    """Text as the network writes it at this iteration, at this temperature."""

    iteration: int
    temperature: float
    texts: tuple[str, ...]


def writing(trainer: Trainer, temperature: float, seed: int) -> Writing:
    """A few lines, or one longer text; the same draws each time, so that only weights change it.

    To be called with the BLAS threads limited to the trainer's. Raises ValueError where the data is
    no text, or the network does not tell each next symbol.
    """
    dataset = trainer.data.dataset
    if problem := sampling_problem(dataset, trainer.network):
        raise ValueError(problem)
    count = 1 if dataset.lengths is None else LINES
    texts = (
        sampled(
            trainer.predict,
            dataset,
            length=LENGTH,
            temperature=temperature,
            seed=seed,
            index=index,
        )
        for index in range(count)
    )
    return Writing(trainer.state.iteration, temperature, tuple(texts))
