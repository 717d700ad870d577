"""Mutations tried out: the tests that should notice are run on a mutated copy of the tree."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from typing import Final, Literal

from tools.mutation.operators import Mutation
from tools.mutation.which_tests import TestMap

LIMIT: Final = 900.0
"""Seconds after which a mutation counts as caught: something waits in vain."""
USAGE_ERROR: Final = 4
_FAILED = re.compile(r"^(?:FAILED|ERROR) (\S+)", re.MULTILINE)


@dataclass(frozen=True)
class Trial:
    """What came of a mutation; `by` is the test that noticed, `tests` how many were run."""

    mutation: Mutation
    outcome: Literal["caught", "survived"]
    tests: int
    by: str = ""


def try_out(chosen: Sequence[Mutation], tests: TestMap, copies: Sequence[Path]) -> Iterator[Trial]:
    """Each mutation in turn, as many at once as there are copies of the tree."""
    free: SimpleQueue[Path] = SimpleQueue()
    for copy in copies:
        free.put(copy)

    def one(mutation: Mutation) -> Trial:
        copy = free.get()
        try:
            return _try(mutation, tests.of(mutation), copy)
        finally:
            free.put(copy)

    with ThreadPoolExecutor(len(copies)) as pool:
        yield from pool.map(one, chosen)


def _try(mutation: Mutation, tests: Sequence[str], copy: Path) -> Trial:
    if not tests:
        return Trial(mutation, "survived", 0)
    file = copy / mutation.path
    source = file.read_text()
    file.write_text(mutation.applied(source))
    try:
        code, output = _pytest(copy, tests)
    except subprocess.TimeoutExpired:
        return Trial(mutation, "caught", len(tests), "time limit")
    finally:
        file.write_text(source)
    if code == USAGE_ERROR:
        raise RuntimeError(f"pytest does not find the tests of {mutation}:\n{output}")
    if code == 0:
        return Trial(mutation, "survived", len(tests))
    failed = _FAILED.search(output)
    return Trial(mutation, "caught", len(tests), failed[1] if failed else f"exit code {code}")


def _pytest(copy: Path, tests: Sequence[str]) -> tuple[int, str]:
    """Run these tests on a copy until one fails."""
    paths = [copy, copy / "engine", copy / "datasets"]
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(map(str, paths)),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    listed = copy / ".tests"
    listed.write_text("\n".join(tests))
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-n", "0", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [*command, f"@{listed}"], cwd=copy, env=environment, timeout=LIMIT,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout
