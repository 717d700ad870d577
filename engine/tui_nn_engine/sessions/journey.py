"""On the way to another iteration: what a session does until it is there."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Journey:
    """To `destination`, a portion of `way` at a time; `arrive` is called there.

    `reopen`: an update was laid open where it began, so one is where it ends.
    """

    destination: int
    way: Iterator[int]
    arrive: Callable[[], None]
    reopen: bool
