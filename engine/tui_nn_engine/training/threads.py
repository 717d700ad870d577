"""How many threads the matrix products use: part of an experiment, for it changes bits."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from threadpoolctl import ThreadpoolController  # type: ignore[import-untyped]


def cores() -> int:
    """How many this process may use."""
    available = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return available or 1


def default_threads() -> int:
    """One core fewer than there are, for the screen, and at least one."""
    return max(1, cores() - 1)


@contextmanager
def limited(threads: int) -> Iterator[None]:
    """Inside, BLAS uses this many threads."""
    with _controller().limit(limits=threads, user_api="blas"):
        yield


@cache
def _controller() -> ThreadpoolController:
    return ThreadpoolController()
