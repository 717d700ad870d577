"""How commands end: the exit codes, and what a person is told when something is wrong."""

import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum
from pathlib import Path

import click


class Exit(IntEnum):
    """Exit codes; those above 128 are 128 and the number of the signal, as a shell has them."""

    DONE = 0
    INTERNAL = 1
    DEVIATES = 1  # a lesson's numbers are not as it expects: as bad as a fault
    BAD_INPUT = 2
    DIVERGED = 3
    INTERRUPTED = 130
    BROKEN_PIPE = 141
    TERMINATED = 143


class Failure(click.ClickException):
    """Bad input: ends the command with a message on stderr."""

    exit_code = Exit.BAD_INPUT


class InternalError(click.ClickException):
    """A fault of the program's own."""

    exit_code = Exit.INTERNAL


@contextmanager
def bad_input(subject: str) -> Iterator[None]:
    """What the engine finds wrong with its input becomes a Failure that tells all of it."""
    from tui_nn_datasets import DataError
    from tui_nn_engine import ExperimentError
    from tui_nn_engine.training.checkpoint import CheckpointError

    try:
        with enough_memory(subject):
            yield
    except ExperimentError as error:
        count = len(error.problems)
        heading = f"{subject} has {count} problem{'s' if count > 1 else ''}:"
        raise Failure("\n  ".join((heading, *map(str, error.problems)))) from None
    except (DataError, CheckpointError) as error:
        raise Failure(str(error)) from None


@contextmanager
def enough_memory(subject: str) -> Iterator[None]:
    """What is too large becomes a Failure."""
    try:
        yield
    except MemoryError as error:
        message = f"{subject} needs more memory than there is ({error}); make it smaller"
        raise Failure(message) from None


def internal_error(error: Exception, folder: Path) -> InternalError:
    """A short message; the traceback goes into the folder's log, where that can be written."""
    text = "".join(traceback.format_exception(error))
    log = folder / "log"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with log.open("a", encoding="utf-8") as file:
            file.write(text)
        where = f"the details are in {log}"
    except OSError:
        where = text
    return InternalError(f"internal error, {type(error).__name__}: {error}; {where}")
