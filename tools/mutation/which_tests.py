"""Which test runs which line of the code, recorded once by coverage."""

import ast
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from coverage import CoverageData

from tools.mutation.operators import Mutation

DATA = "coverage"
TESTS_AT_MOST = 400


def record(root: Path, kept: Path, packages: Sequence[str]) -> None:
    """Run all tests, and keep of each which lines it runs."""
    settings = kept / "coveragerc"
    settings.write_text(f"[run]\ndata_file = {kept / DATA}\nrelative_files = True\n")
    measured = [f"--cov={package}" for package in packages]
    command = [sys.executable, "-m", "pytest", "-q", "--timeout=600", "--cov-context=test"]
    command += [f"--cov-config={settings}", "--cov-report=", *measured]
    subprocess.run(command, cwd=root, check=True)


class TestMap:
    """The tests that run a line, those that run little else first."""

    __test__ = False  # no test of pytest's

    def __init__(self, lines: dict[str, dict[int, list[str]]], readers: dict[str, set[str]]):
        self._lines, self._readers = lines, readers
        self._size = Counter(test for file in lines.values() for by in file.values() for test in by)

    @classmethod
    def load(cls, root: Path, kept: Path) -> "TestMap":
        """What `record` has kept."""
        data = CoverageData(str(kept / DATA))
        data.read()
        lines = {
            file: {
                line: sorted({_function(one) for one in contexts if one})
                for line, contexts in data.contexts_by_lineno(file).items()
            }
            for file in data.measured_files()
        }
        return cls(lines, _readers(root, lines))

    def of(self, mutation: Mutation) -> list[str]:
        """The tests that should notice; of a module's constant, those that read it."""
        file = str(mutation.path)
        found = self._between(file, mutation.line, mutation.last_line)
        if mutation.constant:
            for place in self._readers.get(f"{file}:{mutation.constant}", ()):
                other, _, line = place.rpartition(":")
                found |= self._between(other, int(line), int(line))
        if not found:  # run when it is imported
            found = set().union(*self._lines.get(file, {}).values())
        return sorted(found, key=lambda test: (self._size[test], test))[:TESTS_AT_MOST]

    def _between(self, file: str, first: int, last: int) -> set[str]:
        lines = self._lines.get(file, {})
        return {test for line in range(first, last + 1) for test in lines.get(line, ())}


def _readers(root: Path, files: Iterable[str]) -> dict[str, set[str]]:
    """By file and constant the lines that read it, in any module."""
    reads: dict[str, set[str]] = {}
    homes: dict[str, list[str]] = {}
    trees = {file: ast.parse((root / file).read_text()) for file in files}
    for file, tree in trees.items():
        for statement in tree.body:
            targets = getattr(statement, "targets", [getattr(statement, "target", None)])
            for target in targets:
                if isinstance(target, ast.Name):
                    homes.setdefault(target.id, []).append(file)
    for file, tree in trees.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Name | ast.Attribute):
                name = node.id if isinstance(node, ast.Name) else node.attr
                for home in homes.get(name, ()):
                    reads.setdefault(f"{home}:{name}", set()).add(f"{file}:{node.lineno}")
    return reads


def _function(context: str) -> str:
    """The test function of a recorded context, without the parameters it was called with."""
    return context.partition("|")[0].partition("[")[0]
