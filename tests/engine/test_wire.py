"""Messages between the two processes: what goes in comes out, and nothing else ever does."""

import io
from dataclasses import fields, is_dataclass
from typing import Any, get_args, get_origin, get_type_hints

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from tui_nn_engine.formulas.explanation import Explanation, Line, Notation, Share
from tui_nn_engine.inspection.filters import Filters
from tui_nn_engine.inspection.guess import Guess
from tui_nn_engine.inspection.memory import Memory
from tui_nn_engine.inspection.mistakes import Mistakes, Residuals
from tui_nn_engine.inspection.path import LossPath
from tui_nn_engine.inspection.roc import Roc
from tui_nn_engine.inspection.spread import Spread
from tui_nn_engine.inspection.subject import Subject
from tui_nn_engine.inspection.surface import Surface
from tui_nn_engine.inspection.trace import Trace
from tui_nn_engine.inspection.writing import Writing
from tui_nn_engine.sessions import wire
from tui_nn_engine.sessions.protocol import (
    Back,
    Branched,
    Break,
    BreakpointsSet,
    CheckGradient,
    Close,
    Export,
    Exported,
    GoTo,
    HealthReport,
    Inspect,
    LookAt,
    Open,
    Opened,
    Pause,
    Play,
    PlayOrPause,
    Refused,
    Restart,
    Save,
    SetLearningRate,
    SetWeight,
    StateChanged,
    Step,
    StepPhase,
    StepTo,
    TrainUntil,
    TryRates,
    Update,
    Watch,
    Watched,
)
from tui_nn_engine.stepping.gradient_check import GradientChecked
from tui_nn_engine.stepping.stepview import Arrangement, Listing, StepView
from tui_nn_engine.stepping.through_time import ThroughTime
from tui_nn_engine.training.events import (
    Epochs,
    Progress,
    RunEnded,
    RunStarted,
    Saved,
    SaveFailed,
    Stopped,
)
from tui_nn_engine.training.health_over_time import Clipping, OverTime
from tui_nn_engine.training.rate_range import RatesTried
from tui_nn_engine.training.verdicts import Verdict

numbers = st.floats(width=64)
whole = st.integers(0, 2**53)
texts = st.text(max_size=20)
floats = arrays(np.float64, array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4))
vectors = arrays(np.float64, st.integers(0, 5))
keys = texts.filter(lambda text: not text.startswith("$"))
leaves = st.none() | st.booleans() | st.integers(-(2**60), 2**60) | numbers | texts
counts = st.lists(whole, max_size=3).map(tuple)
trees = st.dictionaries(
    keys,
    st.recursive(
        leaves,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3),
        max_leaves=8,
    ),
    max_size=4,
)
epochs = st.builds(Epochs, st.lists(texts, max_size=3).map(tuple), floats)
names = st.lists(texts, max_size=3).map(tuple)
picks = st.lists(counts, max_size=3).map(tuple)
sources = st.lists(names, max_size=3).map(tuple)
through = st.builds(ThroughTime, texts, names, *[floats] * 5, vectors, vectors, counts)
arrangements = st.builds(Arrangement, names, names, sources, counts, picks, sources)
lines = st.builds(Line, texts, texts, texts, texts, numbers)
shares = st.builds(Share, whole, texts, numbers)
verdict = st.builds(Verdict, texts, st.sampled_from(["good", "notice", "bad"]), texts, texts, texts)
verdicts = st.lists(st.none() | verdict, max_size=3).map(tuple)
explanations = st.builds(
    Explanation,
    whole,
    texts,
    st.lists(lines, max_size=3).map(tuple),
    texts,
    st.lists(shares, max_size=3).map(tuple),
    whole,
)


def hinted(kind: type) -> st.SearchStrategy[Any]:
    """Of a class whose fields are plain: made of their types."""
    return st.builds(kind, **{name: typed(hint) for name, hint in get_type_hints(kind).items()})


def typed(hint: Any) -> st.SearchStrategy[Any]:
    """Arrays are of the dtype named, or of bytes where it is left open."""
    plain = {int: whole, float: numbers, str: texts, bool: st.booleans()}
    if hint in plain:
        return plain[hint]
    of = get_args(hint)
    if get_origin(hint) is tuple:
        return (
            st.lists(typed(of[0]), max_size=3).map(tuple)
            if ... in of
            else st.tuples(*map(typed, of))
        )
    origin = get_origin(hint)
    if getattr(origin, "__name__", "") == "NDArray":  # since NumPy 2.5 an alias with a name
        scalar = of[0]
    else:
        assert origin is np.ndarray, f"say here how to make a {hint}"
        scalar = get_args(of[1])[0]
    abstract = {np.generic: np.uint8, np.integer: np.int64, np.floating: np.float64}
    dtype = abstract.get(get_origin(scalar) or scalar, scalar)
    return arrays(dtype, array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3))


LOOKED_AT = (Mistakes, Residuals, Trace, Memory, Filters, Spread, Roc, LossPath)
BY_CLASS: dict[type, st.SearchStrategy[Any]] = {
    Open: st.builds(Open, st.none() | trees, st.none() | texts, st.booleans()),
    Play: st.builds(Play, whole, whole),
    GoTo: st.builds(GoTo, whole),
    Back: st.builds(Back, whole, whole),
    Pause: st.just(Pause()),
    PlayOrPause: st.just(PlayOrPause()),
    Update: st.just(Update()),
    Restart: st.just(Restart()),
    Save: st.just(Save()),
    Close: st.just(Close()),
    Step: st.builds(Step, st.integers(-100, 100)),
    StepTo: st.builds(StepTo, whole),
    StepPhase: st.builds(StepPhase, st.sampled_from([1, -1])),
    LookAt: st.builds(LookAt, texts, whole, whole, whole, st.integers(-1, 99), st.builds(Notation)),
    Notation: st.builds(Notation),
    Line: lines,
    Verdict: verdict,
    Share: shares,
    Explanation: explanations,
    Inspect: st.builds(
        Inspect, st.sampled_from(["", "guess"]), floats, st.booleans(), whole, whole, texts
    ),
    Subject: st.builds(
        Subject,
        texts,
        texts,
        counts,
        numbers,
        names,
        whole,
        names,
        names,
        st.booleans(),
        names,
        counts,
        names,
        floats,
        vectors,
    ),
    Guess: st.builds(Guess, whole, vectors, floats),
    Surface: st.builds(Surface, whole, st.just((0.0, 1.0)), floats, names, counts, counts, floats),
    **{kind: hinted(kind) for kind in LOOKED_AT},
    SetLearningRate: st.builds(SetLearningRate, numbers),
    SetWeight: st.builds(SetWeight, texts, numbers),
    Branched: st.builds(Branched, whole, texts),
    TrainUntil: st.builds(TrainUntil, whole),
    TryRates: st.builds(TryRates, numbers, numbers, whole),
    RatesTried: st.builds(
        RatesTried,
        whole,
        *[vectors] * 3,
        st.booleans(),
        *[st.none() | numbers] * 3,
        texts,
    ),
    Opened: st.builds(
        Opened,
        trees,
        texts,
        names,
        names,
        st.lists(whole, max_size=3).map(tuple),
        *[whole] * 6,
        history=epochs,
    ),
    StateChanged: st.builds(
        StateChanged, st.sampled_from(["ready", "running"]), *[whole] * 4, numbers, whole, texts
    ),
    Watch: st.builds(Watch, names),
    Break: st.builds(Break, names),
    CheckGradient: st.builds(CheckGradient, texts),
    Export: st.builds(Export, texts, st.sampled_from(["markdown", "csv"])),
    Watched: st.builds(Watched, names, whole, floats),
    Writing: st.builds(Writing, whole, numbers, names),
    BreakpointsSet: st.builds(BreakpointsSet, names),
    Stopped: st.builds(Stopped, whole, texts),
    GradientChecked: st.builds(
        GradientChecked, texts, whole, *[numbers] * 7, st.booleans(), whole, whole, texts
    ),
    Exported: st.builds(Exported, texts),
    HealthReport: st.builds(
        HealthReport,
        whole,
        floats,
        verdicts,
        st.lists(hinted(OverTime), max_size=2).map(tuple),
        st.none() | hinted(Clipping),
    ),
    OverTime: hinted(OverTime),
    Clipping: hinted(Clipping),
    Refused: st.builds(Refused, texts),
    Listing: st.builds(Listing, *[names] * 7, arrangements),
    Arrangement: arrangements,
    ThroughTime: through,
    StepView: st.builds(
        StepView,
        iteration=whole,
        cursor=whole,
        batch=whole,
        layer=texts,
        unit=whole,
        sample=whole,
        loss=numbers,
        sample_loss=numbers,
        x=vectors,
        target=vectors,
        units=st.dictionaries(keys, floats, max_size=3),
        weights=floats,
        kernels=st.dictionaries(keys, floats, max_size=2),
        explanation=st.none() | explanations,
        rows=st.lists(st.tuples(texts, whole), max_size=3).map(tuple),
        through=st.none() | through,
    ),
    RunStarted: st.builds(RunStarted, trees, *[whole] * 5, out=st.none() | texts),
    Progress: st.builds(Progress, *[whole] * 4, vectors, epochs, numbers, numbers),
    Saved: st.builds(Saved, texts, whole),
    SaveFailed: st.builds(SaveFailed, texts, texts),
    RunEnded: st.builds(
        RunEnded,
        st.sampled_from(["completed", "diverged"]),
        whole,
        whole,
        texts,
        st.none() | numbers,
        st.none() | st.dictionaries(keys, numbers, max_size=2),
        st.none() | texts,
    ),
    Epochs: epochs,
}
messages = st.one_of(*BY_CLASS.values())


def same(one: Any, other: Any) -> bool:
    """Equal in type and in every bit, NaN included."""
    if type(one) is not type(other):
        return False
    if is_dataclass(one):
        return all(same(getattr(one, f.name), getattr(other, f.name)) for f in fields(one))
    if isinstance(one, np.ndarray):
        equal: bool = one.dtype == other.dtype and one.shape == other.shape
        return equal and one.tobytes() == other.tobytes()
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, tuple | list):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other) or (one != one and other != other)


@given(st.lists(messages, max_size=4))
def test_what_goes_in_comes_out(sent: list[Any]) -> None:
    stream = io.BytesIO(b"".join(map(wire.pack, sent)))
    for message in sent:
        assert same(wire.read(stream), message)
    assert wire.read(stream) is None


def test_every_class_of_the_protocol_is_tried() -> None:
    assert set(BY_CLASS) == set(wire.CLASSES.values())


def test_an_array_may_be_any_view() -> None:
    grid = np.arange(24.0).reshape(4, 6)
    for view in (grid.T, grid[::2, ::-3], grid[:, 0], np.broadcast_to(grid[0], (3, 6))):
        read = wire.unpack(wire.pack(HealthReport(1, view))[8:])
        np.testing.assert_array_equal(read.values, view)


# -- what is no message ---------------------------------------------------------------------------


@given(messages, st.data())
def test_a_message_that_breaks_off_is_an_error(message: Any, data: st.DataObject) -> None:
    packed = wire.pack(message)
    cut = data.draw(st.integers(1, len(packed) - 1))
    with pytest.raises(wire.WireError):
        wire.read(io.BytesIO(packed[:cut]))
    with pytest.raises(wire.WireError):
        wire.unpack(packed[8 : 8 + cut - 1] if cut < len(packed) - 8 else packed[8:-1])


@given(st.binary(max_size=60))
def test_any_bytes_are_an_error(body: bytes) -> None:
    with pytest.raises(wire.WireError):
        wire.unpack(body)


@given(messages, st.data())
def test_a_spoilt_message_is_an_error_or_another_message(message: Any, data: st.DataObject) -> None:
    body = bytearray(wire.pack(message)[8:])
    place = data.draw(st.integers(0, len(body) - 1))
    body[place] ^= data.draw(st.integers(1, 255))
    try:
        found = wire.unpack(bytes(body))
    except wire.WireError:
        return
    assert type(found) in wire.CLASSES.values()


@pytest.mark.parametrize("size", [wire.MAX_BYTES + 1, 2**63, 2**64 - 1])
def test_a_huge_length_is_refused_before_anything_is_read(size: int) -> None:
    class Stream(io.BytesIO):
        def read(self, count: int | None = -1, /) -> bytes:
            assert count == 8, "memory must not be taken for it"
            return super().read(count)

    with pytest.raises(wire.WireError, match=str(size)):
        wire.read(Stream(size.to_bytes(8, "little") + b"x" * 100))


def spoken(header: str) -> bytes:
    """A block whose header holds this as its message."""
    from safetensors.numpy import save

    return save({"0": np.zeros(2)}, {"message": header})


@pytest.mark.parametrize(
    "header",
    [
        '{"$": "Popen", "args": ["true"]}',
        '{"$": "os.system"}',
        '{"$": ["Play"]}',
        '{"$": null}',
        '{"$": "Play", "epochs": 1, "more": 2}',
        '{"$": "SetLearningRate"}',
        '{"$": "HealthReport", "iteration": 1, "values": {"$array": "7"}}',
        '{"$": "HealthReport", "iteration": 1, "values": {"$array": []}}',
        '{"$array": "0"}',
        '{"epochs": 1}',
        '[{"$": "Play"}]',
        "3",
        "null",
        "",
        "{",
        "[" * 100_000,
    ],
)
def test_only_the_protocols_own_classes_are_made(header: str) -> None:
    with pytest.raises(wire.WireError):
        wire.unpack(spoken(header))
