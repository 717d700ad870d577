import json
import subprocess
import sys

import pytest

from tui_nn_datasets import DataError, entries, load

LOADABLE = [entry for entry in entries() if entry.name != "mnist"]


@pytest.mark.parametrize("entry", LOADABLE, ids=lambda entry: entry.name)
def test_an_entry_tells_the_truth_about_its_data(entry):
    data = load(entry.name)
    assert data.x.shape == (entry.samples, *entry.shape)
    assert data.x.dtype == entry.dtype
    assert (data.name, data.task, data.classes) == (entry.name, entry.task, entry.classes)
    assert (data.source, data.licence, data.description) == (
        entry.source,
        entry.licence,
        entry.description,
    )
    assert data.is_image == (entry.kind == "images")
    assert len(data.input_names) == (0 if data.is_image else data.shape[-1])
    assert entry.available


@pytest.mark.parametrize("entry", entries(), ids=lambda entry: entry.name)
def test_an_entry_is_told_in_single_lines(entry):
    for text in (entry.source, entry.licence, entry.description):
        assert text
        assert "\n" not in text


def test_names_are_told_apart_and_options_told():
    names = [entry.name for entry in entries()]
    assert len(set(names)) == len(names)
    options = {entry.name: entry.options for entry in entries()}
    assert options["moons"] == ("samples", "noise", "seed")
    assert "gate" in options["gates"]
    assert "classes" in options["gaussians"]
    assert options["iris"] == ()


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("irris", {}, r"no data set 'irris' \(did you mean 'iris'\?\); `tui-nn data` lists"),
        ("MNIST_small", {}, r"did you mean 'mnist_small'"),
        ("zzzzzz", {}, r"no data set 'zzzzzz'; "),
        ("moons", {"nois": 1}, r"moons: no option 'nois' \(did you mean 'noise'\?\); its options"),
        ("iris", {"noise": 1}, "iris: no option 'noise'; it has none"),
        ("moons", {"samples": 1}, r"samples must be a whole number from 2 to 1000000 \(is 1\)"),
        ("moons", {"samples": 2.5}, "samples must be a whole number"),
        ("moons", {"samples": True}, "samples must be a whole number"),
        ("moons", {"seed": True}, "seed must be a whole number"),
        ("moons", {"samples": 10**9}, "samples must be a whole number"),
        ("moons", {"samples": None}, "samples must be a whole number"),
        ("moons", {"seed": -1}, "seed must be a whole number from 0"),
        ("moons", {"noise": -0.1}, r"noise must be a finite number, at least 0 \(is -0.1\)"),
        ("moons", {"noise": float("nan")}, "noise must be a finite number"),
        ("moons", {"noise": "much"}, "noise must be a finite number"),
        ("moons", {"noise": True}, "noise must be a finite number"),
        ("plane", {"a": float("inf")}, r"a must be a finite number \(is inf\)"),
        ("gaussians", {"classes": 1}, "classes must be a whole number from 2 to 20"),
        ("gates", {"bipolar": 1}, "bipolar must be true or false"),
        ("gates", {"gate": 3}, "no gate 3"),
        ("csv", {}, "csv: needs the option 'path'"),
        ("given", {"x": [[1]]}, "given: needs the option 'y'"),
        ("given", {"x": [[1]], "y": [1], "task": "guess"}, "task must be one of"),
    ],
)
def test_what_cannot_be_is_refused(name, options, message):
    with pytest.raises(DataError, match=message):
        load(name, **options)


def test_options_without_a_value_are_left_to_their_default():
    assert load("gates", samples=None).digest() == load("gates").digest()


def test_importing_loading_and_listing_needs_numpy_alone():
    script = """
import json, sys
import tui_nn_datasets
imported = sorted(sys.modules)
for name in ("mnist_small", "digits", "iris", "diabetes", "moons"):
    tui_nn_datasets.load(name)
print(json.dumps([imported, sorted(sys.modules)]))
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60
    )
    for modules in json.loads(done.stdout):
        packages = {module.partition(".")[0] for module in modules}
        assert "numpy" in packages
        assert not packages & {"pooch", "requests", "platformdirs", "sklearn", "scipy"}
        assert not packages & {"pydantic", "textual", "rich", "click", "tui_nn", "tui_nn_engine"}
