"""Which small faults would the tests notice? Mutates the code and runs the tests that should.

    python -m tools.mutation cover                   # which test runs which line: once, minutes
    python -m tools.mutation run --count 150         # a sample of all mutations, spread evenly
    python -m tools.mutation run --count 40 --only tui_nn/widgets
    python -m tools.mutation run --again             # those that survived the last time

It works on a copy of the tree. What survives is listed with its place; a mutation that changes
nothing anyone could see is entered in equivalent.toml, with the reason. Exit code 1 where less
than 95 % of the others are caught. Needs the extra `mutation`.
"""

import argparse
import json
import random
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path

from tools.mutation.operators import Mutation, mutations
from tools.mutation.trials import Trial, try_out
from tools.mutation.which_tests import TestMap, record

ROOT = Path(__file__).parents[2]
KEPT = ROOT / ".mutation"
PACKAGES = ("tui_nn", "engine/tui_nn_engine", "datasets/tui_nn_datasets")
ENOUGH = 0.95


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("cover", help="record which test runs which line")
    run = commands.add_parser("run", help="mutate, run tests, report")
    run.add_argument("--count", type=int, default=150, help="how many mutations")
    run.add_argument("--seed", type=int, default=0, help="which sample of them")
    run.add_argument("--only", action="append", default=[], help="files or folders, else all")
    run.add_argument("--kind", action="append", default=[], help="kinds of mutation, else all")
    run.add_argument("--again", action="store_true", help="only what survived the last time")
    run.add_argument("--jobs", type=int, default=2, help="mutations at once")
    options = parser.parse_args()
    KEPT.mkdir(exist_ok=True)
    if options.command == "cover":
        record(ROOT, KEPT, PACKAGES)
        return 0
    chosen = list(_chosen(options))
    trials = []
    with tempfile.TemporaryDirectory() as folder:
        copies = [_copy(Path(folder) / str(index)) for index in range(options.jobs)]
        for trial in try_out(chosen, TestMap.load(ROOT, KEPT), copies):
            trials.append(trial)
            print(_line(trial), flush=True)
    return _report(trials)


def _chosen(options: argparse.Namespace) -> Iterable[Mutation]:
    if options.again:
        for kept in json.loads((KEPT / "survivors.json").read_text()):
            yield Mutation(**kept | {"path": Path(kept["path"])})
        return
    places = options.only or PACKAGES
    files = sorted({file for place in places for file in _modules(ROOT / place)})
    found: dict[tuple[str, str], list[Mutation]] = defaultdict(list)
    for file in files:
        path = file.relative_to(ROOT)
        for one in mutations(path, file.read_text()):
            if not options.kind or one.kind in options.kind:
                found[str(path.parent), one.kind].append(one)
    yield from sample(found, options.count, options.seed)


def sample(
    groups: dict[tuple[str, str], list[Mutation]], count: int, seed: int
) -> Sequence[Mutation]:
    """So many of them, a folder and a kind as often as another."""
    chance = random.Random(seed)
    piles = [groups[key] for key in sorted(groups)]
    for pile in piles:
        chance.shuffle(pile)
    chance.shuffle(piles)
    chosen: list[Mutation] = []
    while len(chosen) < count and any(piles):
        for pile in piles:
            if pile and len(chosen) < count:
                chosen.append(pile.pop())
    return chosen


def _modules(place: Path) -> list[Path]:
    return [place] if place.is_file() else sorted(place.rglob("*.py"))


def _copy(folder: Path) -> Path:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    return folder


def _line(trial: Trial) -> str:
    one = trial.mutation
    before, after = (" ".join(text.split())[:70] for text in (one.before, one.after))
    place = f"{one.path}:{one.line}"
    note = trial.by or f"{trial.tests} tests passed"
    return f"{trial.outcome:9} {place:58} {one.kind:9} {before!r} -> {after!r}  [{note}]"


def _is_equivalent(one: Mutation, known: list[dict[str, str]]) -> bool:
    line = " ".join((ROOT / one.path).read_text().splitlines()[one.line - 1].split())
    return any(
        entry["file"] == str(one.path)
        and entry["line"] == line
        and entry["before"] == one.before
        and entry["after"] == one.after
        for entry in known
    )


def _report(trials: list[Trial]) -> int:
    known = tomllib.loads((Path(__file__).parent / "equivalent.toml").read_text())
    survived = [
        trial.mutation
        for trial in trials
        if trial.outcome == "survived" and not _is_equivalent(trial.mutation, known["mutation"])
    ]
    same = sum(trial.outcome == "survived" for trial in trials) - len(survived)
    kept = [asdict(one) | {"path": str(one.path)} for one in survived]
    (KEPT / "survivors.json").write_text(json.dumps(kept, indent=1))
    print(f"\n{len(trials)} mutations, {same} of them equivalent, {len(survived)} survived")
    for kind, count in sorted(Counter(one.kind for one in survived).items()):
        print(f"  {kind}: {count}")
    counted = len(trials) - same
    caught = 1 - len(survived) / counted if counted else 1.0
    print(f"caught: {caught:.1%}")
    return 0 if caught >= ENOUGH else 1


if __name__ == "__main__":
    sys.exit(main())
