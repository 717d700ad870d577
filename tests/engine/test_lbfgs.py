"""L-BFGS against SciPy's; its search against the strong Wolfe conditions, its loop by matrix."""

import itertools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tui_nn_engine import Experiment, Trainer
from tui_nn_engine.formulas.explanation import Notation
from tui_nn_engine.primitives.lbfgs import LBFGS, FirstLoop, SecondLoop
from tui_nn_engine.primitives.line_search import CURVATURE, DECREASE, MOST, LineSearch, Point
from tui_nn_engine.programs.program import Builder, Call, Contribution, Op, Primitive, Slot
from tui_nn_engine.stepping.explain import explain
from tui_nn_engine.stepping.stepper import Stepper
from tui_nn_engine.training.timeline import Timeline

Floats = NDArray[np.float64]


def dense(units: int, activation: str = "linear") -> dict[str, Any]:
    return {"type": "dense", "units": units, "activation": activation}


def trainer_of(data: dict[str, Any], layers: list[Any], loss: str, **more: Any) -> Trainer:
    tree = {"dtype": "float64", "data": data, "layers": layers, "loss": loss, "optimizer": "lbfgs"}
    tree["training"] = {"epochs": 500, "batch_size": 1000, "threads": 1}
    return Trainer(Experiment.parse({**tree, **more}))


MOONS = {"name": "moons", "samples": 80, "noise": 0.4}
CIRCLES = {"name": "circles", "samples": 80, "noise": 0.2}
# Data, layers, loss, updates, and where both end, kept for machines without SciPy. (Problems with
# several minima are no comparison: from the same start either may find another one.)
PROBLEMS: dict[str, tuple[dict[str, Any], list[Any], str, int, float]] = {
    "linear": ({"name": "diabetes"}, [dense(1)], "mean_squared_error", 40, 0.481052350743857),
    "logistic": (MOONS, [dense(1, "sigmoid")], "binary_crossentropy", 25, 0.444976574182440),
    "softmax": (CIRCLES, [dense(2, "softmax")], "categorical_crossentropy", 25, 0.690966186498460),
    "hidden unit": (
        {"name": "diabetes"},
        [dense(1, "tanh"), dense(1)],
        "mean_squared_error",
        100,
        0.469051956221344,
    ),
}


def scipys(trainer: Trainer) -> float:
    """The end loss of L-BFGS-B from the same start, on the same compiled loss and gradient."""
    optimize = pytest.importorskip("scipy.optimize")

    def loss_and_gradient(w: Floats) -> tuple[float, Floats]:
        trainer.parameters.trainable[...] = w
        program = trainer.load()
        for call in program.compute:
            call()
        return program.loss_value, np.array(trainer.parameters.gradients)

    start = trainer.parameters.trainable.copy()
    options = {"maxiter": 3000, "maxfun": 9000, "ftol": 1e-15, "gtol": 1e-9}
    found = optimize.minimize(
        loss_and_gradient, start, jac=True, method="L-BFGS-B", options=options
    )
    return float(found.fun)


@pytest.mark.parametrize("name", PROBLEMS)
def test_it_ends_where_scipys_does(name: str) -> None:
    data, layers, loss, updates, literal = PROBLEMS[name]
    trainer = trainer_of(data, layers, loss)
    losses = [trainer.update() for _ in range(updates)]
    assert losses[-1] == pytest.approx(literal, rel=1e-6)
    assert (np.diff(losses) <= 0).all()
    assert scipys(trainer_of(data, layers, loss)) == pytest.approx(literal, rel=1e-6)


# -- a problem of one's own -----------------------------------------------------------------------


class Rosenbrock(Primitive):
    """Σ 100 (wᵢ₊₁ - wᵢ²)² + (1 - wᵢ)²: a long, curved valley; its minimum is 0 at 1."""

    name = "rosenbrock"

    def outputs(self, *inputs: Slot) -> dict[str, tuple[int, ...]]:
        return {"": ()}

    def bind(self, inputs: Sequence[Any], outputs: Sequence[Any]) -> Call:
        (w,), (out,) = inputs, outputs
        return lambda: out.fill(np.sum(100 * (w[1:] - w[:-1] ** 2) ** 2 + (1 - w[:-1]) ** 2))

    def gradients(self, op: Op, gradient: Slot) -> Any:
        yield Contribution(op.inputs[0], op.inputs, RosenbrockGradient())


class RosenbrockGradient(Primitive):
    name = "rosenbrock gradient"

    def outputs(self, *inputs: Slot) -> dict[str, tuple[int, ...]]:
        return {"": inputs[0].shape}

    def bind(self, inputs: Sequence[Any], outputs: Sequence[Any]) -> Call:
        (w,), (out,) = inputs, outputs

        def call() -> None:
            bend = w[1:] - w[:-1] ** 2
            out.fill(0)
            out[:-1] += -400 * w[:-1] * bend - 2 * (1 - w[:-1])
            out[1:] += 200 * bend

        return call


class Walk:
    """Updates of the Rosenbrock function in ten dimensions, from SciPy's usual start."""

    def __init__(self, history: int = 10) -> None:
        optimizer = LBFGS(history_size=history)
        self.w = np.tile([-1.2, 1.0], 5)
        slope = np.zeros(10)
        states = {s.name: np.full(s.shape, s.start) for s in optimizer.states(10)}
        self.state = {"learning_rate": np.array(1.0), **states}
        weights = Slot("w", self.w, "parameter")
        gradient = Slot("g", slope, "gradient", weights)
        slots = {name: Slot(name, array, "state") for name, array in self.state.items()}
        self.builder = Builder(
            "float64", {"w": weights}, {"w": gradient}, slots, seed=0, training=True
        )
        with self.builder.within("", "loss"):
            self.loss = self.builder.apply(Rosenbrock(), weights, name="E")
        self.builder.differentiate(self.loss)
        with self.builder.within("lbfgs", "update"):
            optimizer.emit(self.builder, weights, gradient)

    def update(self) -> None:
        for op in self.builder.ops:
            op.call()

    def array(self, name: str) -> Any:
        return next(s.array for op in self.builder.ops for s in op.outputs if s.name == name)


@pytest.mark.parametrize(("history", "updates"), [(1, 200), (3, 120), (10, 75)])
def test_it_finds_its_way_through_a_curved_valley(history: int, updates: int) -> None:
    """As SciPy's L-BFGS-B, which needs 76 updates and 94 evaluations to the same place."""
    walk = Walk(history)
    evaluations = 0
    for _ in range(updates):
        walk.update()
        evaluations += int(walk.array("lbfgs.evaluations"))
    np.testing.assert_allclose(walk.w, 1.0, rtol=1e-6)
    assert float(walk.loss.array) < 1e-12
    assert evaluations < 1.3 * updates


@pytest.mark.parametrize("history", [2, 5])
def test_the_direction_is_that_of_the_matrix(history: int) -> None:
    """H of (7.17)-(7.20), built from the pairs kept as a matrix."""
    walk = Walk(history)
    for _ in range(8):
        walk.update()
        known = int(walk.state["pairs"])
        s, y = walk.state["s"][:known].copy(), walk.state["y"][:known].copy()
        walk.builder.ops[0].call()
        walk.builder.ops[1].call()
        matrix = np.eye(10) * (s[-1] @ y[-1]) / (y[-1] @ y[-1])
        for one, other in zip(s, y, strict=True):
            rho = 1 / (one @ other)
            left = np.eye(10) - rho * np.outer(one, other)
            matrix = left @ matrix @ left.T + rho * np.outer(one, one)
        for op in walk.builder.ops[2:4]:
            op.call()
        kinds = [type(op.primitive) for op in walk.builder.ops[2:4]]
        assert kinds == [FirstLoop, SecondLoop]
        gradient = walk.builder.ops[1].output.array
        np.testing.assert_allclose(walk.array("lbfgs.p"), -matrix @ gradient, rtol=1e-6)
    assert known == min(8, history)


def test_it_remembers_the_last_pairs_the_oldest_first() -> None:
    walk, told = Walk(history=3), []
    for _ in range(5):
        walk.update()
        told.append((walk.array("lbfgs.Δw").copy(), walk.array("lbfgs.Δg").copy()))
    assert walk.state["pairs"] == 3
    for row, (change, turned) in enumerate(told[-3:]):
        np.testing.assert_array_equal(walk.state["s"][row], change)
        np.testing.assert_array_equal(walk.state["y"][row], turned)


def test_where_nothing_lower_is_found_it_stays_and_forgets() -> None:
    walk = Walk()
    for _ in range(5):
        walk.update()
    walk.w[...] = 1.0
    walk.update()
    np.testing.assert_array_equal(walk.w, 1.0)
    assert walk.state["pairs"] == 0


# -- the line search ------------------------------------------------------------------------------


@settings(max_examples=300, deadline=None)
@given(
    st.floats(-3, 3), st.floats(0.1, 20), st.floats(0, 3), st.floats(0.3, 6), st.floats(1e-3, 1e3)
)
def test_the_step_meets_both_conditions(
    shift: float, steep: float, wave: float, fast: float, first: float
) -> None:
    """On waves in a bowl, from steps far too short to far too long."""

    def phi(at: float) -> Point:
        x = at + shift
        value = steep * x * x / 2 + wave * math.sin(fast * x)
        return Point(at, value, steep * x + wave * fast * math.cos(fast * x))

    start = phi(0.0)
    if start.slope > -1e-3:
        return
    search = LineSearch(phi, start, 1e-16)
    found = search.run(first)
    assert search.evaluations <= MOST
    assert found.value <= start.value + DECREASE * found.at * start.slope
    if search.evaluations < MOST:
        assert found.at > 0
        assert abs(found.slope) <= CURVATURE * abs(start.slope)


def test_where_the_evaluations_do_not_suffice_the_lowest_known_is_given() -> None:
    """A step a million times too long: so often it is not halved."""

    def phi(at: float) -> Point:
        return Point(at, 32 * at * at - 2e-3 * at, 64 * at - 2e-3)

    def wild(at: float) -> Point:  # no cubic leads there
        return phi(at) if at < 1e-4 else Point(at, math.inf, math.nan)

    search = LineSearch(wild, wild(0.0), 1e-16)
    assert search.run(1e3) == wild(0.0)
    assert search.evaluations == MOST


def test_a_loss_that_is_not_finite_is_too_high() -> None:
    def phi(at: float) -> Point:
        if at > 0.5:
            return Point(at, math.nan, math.nan)
        return Point(at, -math.log(1 - at) - 2 * at, 1 / (1 - at) - 2)

    found = LineSearch(phi, phi(0.0), 1e-16).run(8.0)
    assert 0 < found.at <= 0.5


# -- in a run -------------------------------------------------------------------------------------

NET: tuple[Any, ...] = (MOONS, [dense(3, "tanh"), dense(1, "sigmoid")], "binary_crossentropy")


def everything(trainer: Trainer) -> dict[str, Any]:
    found = trainer.state.snapshot()
    arrays = {name: array.tobytes() for name, array in found.arrays.items()}
    return {"place": (found.iteration, found.epoch, found.batch), **arrays}


def test_stepped_forwards_and_back_it_is_the_same() -> None:
    plain, stepped = trainer_of(*NET), trainer_of(*NET)
    for _ in range(14):
        loss = plain.update()
        before = everything(stepped)
        stepper = Stepper(stepped)
        for count in range(len(stepper.ops) + 1):
            stepper.go_to(count)
        stepper.go_to(0)
        assert everything(stepped) == before
        assert stepper.finish() == loss
        assert everything(plain) == everything(stepped)


def test_the_search_leaves_no_trace_in_what_was_computed_before() -> None:
    trainer = trainer_of(*NET)
    for _ in range(3):
        trainer.update()
    stepper = Stepper(trainer)
    place = next(i for i, op in enumerate(stepper.ops) if op.primitive.name == "line search")
    stepper.go_to(place)
    slots = {s.name: s.array.tobytes() for op in stepper.ops[:place] for s in op.outputs}
    stepper.forward()
    assert {s.name: s.array.tobytes() for op in stepper.ops[:place] for s in op.outputs} == slots


def test_resumed_and_revisited_it_goes_on_to_the_bit() -> None:
    plain, other = trainer_of(*NET), trainer_of(*NET)
    for _ in range(12):
        plain.update()
    kept = plain.state.snapshot()
    losses = [plain.update() for _ in range(5)]
    other.restore(kept)
    assert [other.update() for _ in range(5)] == losses
    timeline, here = Timeline(plain), everything(plain)
    for _ in timeline.travel(4):
        pass
    for _ in timeline.travel(17):
        pass
    assert everything(plain) == here


def test_single_precision_learns_as_well() -> None:
    trainer = trainer_of(*NET, dtype="float32")
    losses = [trainer.update() for _ in range(100)]
    assert losses[-1] < 0.7 * losses[0]
    assert np.isfinite(losses).all()
    assert all(later <= sooner * (1 + 1e-6) for sooner, later in itertools.pairwise(losses))


@pytest.mark.parametrize("names", ["paper", "code"])
@pytest.mark.parametrize("updates", [0, 1, 4, 12])
def test_what_is_said_is_what_was_computed(names: Any, updates: int) -> None:
    trainer = trainer_of(*NET)
    for _ in range(updates):
        trainer.update()
    stepper = Stepper(trainer)
    begin = next(i for i, op in enumerate(stepper.ops) if op.phase == "update")
    for operation in range(begin, len(stepper.ops)):  # nothing known yet
        assert explain(stepper, operation, (5,), Notation(names)).sentence
    stepper.go_to(len(stepper.ops))
    for operation in range(begin, len(stepper.ops)):
        op = stepper.ops[operation]
        found = explain(stepper, operation, (5,), Notation(names, digits=17))
        value = op.output.array[5] if op.output.shape else op.output.array
        assert found.lines[-1].value == float(value)
        for line in found.lines:
            if "φ" not in line.left:
                continue
            assert math.isfinite(line.value)
        right = stepper_value(found.lines[-1].numbers)
        assert right == pytest.approx(found.lines[-1].value, rel=1e-9, abs=1e-12), op.primitive.name


def stepper_value(numbers: str) -> float:
    text = numbers.replace("−", "-").replace("·", "*").replace("(the other", "#")
    assert "#" not in text
    return float(eval(text, {"__builtins__": {}}, {"min": min}))


def test_the_words_tell_of_the_search() -> None:
    trainer = trainer_of(*NET)
    trainer.update()
    stepper = Stepper(trainer)
    stepper.go_to(len(stepper.ops))
    names = [op.primitive.name for op in stepper.ops]
    search = explain(stepper, names.index("line search"), (0,), Notation())
    count = int(stepper.ops[names.index("line search")].outputs[2].array)
    assert ("one evaluation" if count == 1 else f"{count} evaluations") in search.sentence
    assert [line.left for line in search.lines] == ["φ′(0)", "low enough", "φ(α)", "α"]
    assert search.lines[2].value <= search.lines[1].value
