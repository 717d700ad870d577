"""Checkpoints: whole or not at all, and whatever a file holds, reading it executes nothing."""

import json
import pickle
import zipfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import save as pack_arrays

from tui_nn_engine import Experiment, Trainer
from tui_nn_engine.training import checkpoint
from tui_nn_engine.training.checkpoint import FORMAT, Checkpoint, CheckpointError

Header = dict[str, Any]


def trainer() -> Trainer:
    return Trainer(
        Experiment.parse(
            {
                "data": {"name": "xor"},
                "layers": [{"type": "dense", "units": 2, "activation": "softmax"}],
                "loss": {"type": "categorical_crossentropy"},
                "training": {"batch_size": 3, "threads": 1},
            }
        )
    )


def whole() -> bytes:
    trained = trainer()
    for _ in range(5):
        trained.update()
    return checkpoint.pack(Checkpoint(trained.state.snapshot(), trained.data.sha256))


WHOLE = whole()


def edited(edit: Callable[[Header], object]) -> bytes:
    """The whole checkpoint with its JSON header changed."""
    length = int.from_bytes(WHOLE[:8], "little")
    header = json.loads(WHOLE[8 : 8 + length])
    edit(header)
    return framed(json.dumps(header).encode(), WHOLE[8 + length :])


def framed(header: bytes, rest: bytes = b"") -> bytes:
    return len(header).to_bytes(8, "little") + header + rest


def about(**values: Any) -> bytes:
    return told(lambda said: said.update(values))


def forget(key: str) -> bytes:
    return told(lambda said: said.pop(key))


def told(edit: Callable[[Header], object]) -> bytes:
    """The whole checkpoint with what is said of it changed."""

    def edit_metadata(header: Header) -> None:
        said = json.loads(header["__metadata__"]["tui-nn"])
        edit(said)
        header["__metadata__"]["tui-nn"] = json.dumps(said)

    return edited(edit_metadata)


def array(name: str, **values: Any) -> bytes:
    return edited(lambda header: header[name].update(values))


class Trap:
    """Pickled, it would leave a file behind when it is read."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.path,)


def test_a_checkpoint_comes_back_as_it_was(tmp_path: Path) -> None:
    trained = trainer()
    for _ in range(5):
        trained.update()
    snapshot = trained.state.snapshot()
    path = tmp_path / "deep" / "last.safetensors"
    checkpoint.save(path, Checkpoint(snapshot, trained.data.sha256))
    found = checkpoint.load(path)
    assert found.data_sha256 == trained.data.sha256
    assert (found.snapshot.iteration, found.snapshot.epoch, found.snapshot.batch) == (5, 2, 1)
    assert found.snapshot.arrays.keys() == snapshot.arrays.keys()
    for name, values in snapshot.arrays.items():
        assert found.snapshot.arrays[name].tobytes() == values.tobytes()
        assert found.snapshot.arrays[name].dtype == values.dtype
    assert [item.name for item in path.parent.iterdir()] == ["last.safetensors"]


def test_equal_checkpoints_are_equal_files() -> None:
    snapshot = trainer().state.snapshot()
    assert len({checkpoint.pack(Checkpoint(snapshot, "sum")) for _ in range(20)}) == 1


@pytest.mark.parametrize("length", [0, 1, 7, 8, 9, 100, len(WHOLE) // 2, len(WHOLE) - 1])
def test_a_truncated_file_is_refused(tmp_path: Path, length: int) -> None:
    path = tmp_path / "cut.safetensors"
    path.write_bytes(WHOLE[:length])
    with pytest.raises(CheckpointError, match=r"cut\.safetensors is (truncated|damaged)"):
        checkpoint.load(path)


FOREIGN = {
    "text": b"seed = 0\n[data]\nname = 'iris'\n" * 9,
    "zeros": bytes(1000),
    "a huge header": (2**62).to_bytes(8, "little") + bytes(1000),
    "a length of all ones": b"\xff" * 1000,
    "a header that is no JSON": framed(b"{" * 100),
    "a header nested without end": framed(b'{"a":' * 100_000),
    "a list": framed(b"[1, 2]"),
    "a number": framed(b"7"),
    "no metadata": pack_arrays({"w": np.zeros(3)}),
    "another program's": pack_arrays({"w": np.zeros(3)}, {"format": "pt"}),
    "metadata of another kind": framed(b'{"__metadata__": [1, 2]}'),
    "another format": about(format=FORMAT + "0"),
}
DAMAGED = {
    "an iteration below 0": about(iteration="-5"),
    "an epoch below 0": about(epoch="-1"),
    "a batch below 0": about(batch="-1"),
    "an iteration that is NaN": about(iteration="nan"),
    "an iteration that is infinite": about(iteration=float("inf")),
    "an iteration of a million digits": about(iteration="9" * 1_000_000),
    "an iteration beyond 64 bits": about(iteration=str(2**64)),
    "an iteration that is a list": about(iteration=[5]),
    "no iteration": forget("iteration"),
    "no sum of the data": forget("data_sha256"),
    "a shape too large": array("parameters", shape=[10**9]),
    "a shape below 0": array("parameters", shape=[-1]),
    "a type too wide": array("parameters", dtype="F64"),
    "an unknown type": array("parameters", dtype="O"),
    "a type that NumPy lacks": array("parameters", dtype="BF16", shape=[12]),
    "a place outside": array("parameters", data_offsets=[0, 10**12]),
    "a place before the start": array("parameters", data_offsets=[-8, 16]),
    "bytes too many": WHOLE + b"more",
}


@pytest.mark.parametrize("what", FOREIGN)
def test_a_foreign_file_is_refused(tmp_path: Path, what: str) -> None:
    path = tmp_path / "some.safetensors"
    path.write_bytes(FOREIGN[what])
    with pytest.raises(CheckpointError, match=r"some\.safetensors is .*no checkpoint of tui-nn"):
        checkpoint.load(path)


@pytest.mark.parametrize("what", DAMAGED)
def test_a_damaged_file_is_refused(tmp_path: Path, what: str) -> None:
    path = tmp_path / "some.safetensors"
    path.write_bytes(DAMAGED[what])
    with pytest.raises(CheckpointError, match=r"some\.safetensors is damaged"):
        checkpoint.load(path)


def test_weights_that_are_not_finite_are_refused(tmp_path: Path) -> None:
    trained = trainer()
    trained.parameters.values[1] = np.nan
    path = tmp_path / "some.safetensors"
    checkpoint.save(path, Checkpoint(trained.state.snapshot(), ""))
    with pytest.raises(CheckpointError, match="not finite"):
        checkpoint.load(path)


def test_a_pickle_is_refused_and_not_executed(tmp_path: Path) -> None:
    sprung = tmp_path / "sprung"
    trap = pickle.dumps(Trap(sprung))
    archive = BytesIO()
    with zipfile.ZipFile(archive, "w") as file:  # what torch.save makes
        file.writestr("archive/data.pkl", trap)
    numpy_file = BytesIO()
    np.save(numpy_file, np.array([Trap(sprung)], dtype=object), allow_pickle=True)
    path = tmp_path / "some.safetensors"
    for content in (trap, archive.getvalue(), numpy_file.getvalue(), framed(trap)):
        path.write_bytes(content)
        with pytest.raises(CheckpointError, match="no checkpoint of tui-nn"):
            checkpoint.load(path)
    assert not sprung.exists()
    pickle.loads(trap)
    assert sprung.exists()  # the trap was a trap


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_any_flipped_byte_is_refused_or_harmless(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    content = bytearray(WHOLE)
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(content) - 1))
        content[place] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.mktemp("flipped") / "some.safetensors"
    path.write_bytes(content)
    restored = trainer()
    try:
        restored.state.restore(checkpoint.load(path).snapshot)
    except (CheckpointError, ValueError) as error:
        assert str(error)  # noqa: PT017
    else:
        assert np.isfinite(restored.parameters.values).all()


def test_a_file_that_cant_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"can't read .*none\.safetensors: No such file"):
        checkpoint.load(tmp_path / "none.safetensors")
    with pytest.raises(CheckpointError, match=r"can't read .*: Is a directory"):
        checkpoint.load(tmp_path)


# -- putting a snapshot into a state --------------------------------------------------------------


def misplaced(**values: Any) -> Any:
    trained = trainer()
    trained.update()
    snapshot = trained.state.snapshot()
    fields = {"iteration": 1, "epoch": 0, "batch": 1, "arrays": dict(snapshot.arrays)} | values
    return type(snapshot)(**fields)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"iteration": 2}, "2 updates are not 0 epochs of 2 batches and 1 more"),
        ({"batch": 2, "iteration": 2}, "2 updates are not 0 epochs"),
        ({"epoch": 1}, "1 updates are not 1 epochs"),
        ({"arrays": {}}, "parameters is missing"),
        ({"arrays": {"parameters": np.zeros(7, np.float32)}}, "the experiment needs float32"),
        ({"arrays": {"parameters": np.zeros(6)}}, "parameters is float64"),
    ],
)
def test_what_does_not_fit_changes_nothing(values: dict[str, Any], message: str) -> None:
    fresh = trainer()
    before = fresh.state.snapshot()
    with pytest.raises(ValueError, match=message):
        fresh.state.restore(misplaced(**values))
    after = fresh.state.snapshot()
    assert after.iteration == 0
    for name, values_before in before.arrays.items():
        assert values_before.tobytes() == after.arrays[name].tobytes()


def test_an_array_too_few_changes_nothing() -> None:
    snapshot = misplaced()
    del snapshot.arrays["epoch_outputs"]
    fresh = trainer()
    before = fresh.parameters.values.tobytes()
    with pytest.raises(ValueError, match="epoch_outputs is missing"):
        fresh.state.restore(snapshot)
    assert fresh.parameters.values.tobytes() == before
