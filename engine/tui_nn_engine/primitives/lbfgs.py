"""L-BFGS: Newton's step from what the last gradients tell of the curvature, on the full batch.

Nocedal & Wright, Numerical Optimization, 2nd ed. 2006, Algorithms 7.4 (two-loop recursion) and 7.5.
Of the last m updates it keeps how the weights changed, s, and how the gradient did, y.
"""

import math
from collections.abc import Sequence
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from tui_nn_engine.formulas.expressions import Expression, Quantity, lift, part
from tui_nn_engine.formulas.functions import smallest, total
from tui_nn_engine.primitives.formula import Formula
from tui_nn_engine.primitives.line_search import DECREASE, LineSearch, Objective, Point
from tui_nn_engine.primitives.optimizer import Optimizer, apply_change
from tui_nn_engine.programs.parameters import StateSpec
from tui_nn_engine.programs.program import Array, Builder, Call, Primitive, Slot
from tui_nn_engine.programs.reading import Meaning, Reading

AnyArray = Any


class LBFGS(Optimizer):
    """Algorithm 7.5 of Nocedal & Wright, the step length by a strong Wolfe line search.

    One update is one iteration; its line search evaluates loss and gradient several times. The
    learning rate is the step length tried first: 1 is Newton's, and right but for the first
    update, which has no curvature yet and tries one of length 1 at most.
    """

    type: Literal["lbfgs"] = "lbfgs"
    aliases: ClassVar[tuple[str, ...]] = ("l-bfgs",)
    summary: ClassVar[str] = "steps by the loss's curvature, their length searched; full batch"
    learning_rate: Annotated[
        float, Field(gt=0, title="first step length", description="tried first; 1 is Newton's step")
    ] = 1.0
    history_size: Annotated[
        int, Field(ge=1, le=100, description="updates that the curvature is learned from")
    ] = 10

    def states(self, parameters: int) -> tuple[StateSpec, ...]:
        """The pairs s and y, the oldest first, and how many there are."""
        shape = (self.history_size, parameters)
        return (StateSpec("s", shape), StateSpec("y", shape), StateSpec("pairs", ()))

    def emit(self, builder: Builder, weights: Slot, gradient: Slot) -> None:
        """Both loops, the line search, Δw, Δg, the pair remembered, new weights.

        Raises ValueError where the builder has differentiated no loss.
        """
        if not builder.ends:
            raise ValueError("L-BFGS needs the loss whose gradient it follows")
        s, y, pairs = (builder.state[name] for name in ("s", "y", "pairs"))
        evaluated = [op for op in builder.ops if op.phase != "update"]
        objective = Objective(evaluated, builder.ends, weights, gradient)
        q, p = (builder.slot(name, gradient.shape) for name in ("q", "p"))
        a, b = (builder.slot(name, (self.history_size,)) for name in ("a", "b"))
        builder.append(FirstLoop(), (gradient, s, y, pairs), (q, a))
        builder.append(SecondLoop(), (q, s, y, a, pairs), (p, b))
        rate = builder.state["learning_rate"]
        length, low, made = (builder.slot(name, ()) for name in ("α", "E after", "evaluations"))
        after = builder.slot("g after", gradient.shape)
        builder.append(
            StepLength(objective),
            (p, gradient, weights, rate, pairs, *builder.ends),
            (length, low, made, after),
        )
        change = builder.apply(_step(), p, length, name="Δw")
        turned = builder.apply(_turned(), after, gradient, name="Δg")
        builder.append(Remember(), (pairs, s, y, change, turned, length), (pairs, s, y))
        apply_change(builder, weights, change)


class FirstLoop(Primitive):
    """q = g − Σ a y, from the newest pair to the oldest, with a = s·q / s·y of q so far.

    Outputs: q (parameters,), a (history,).
    """

    name = "first loop"
    formula = "q = g − Σ a·y"

    def bind(self, inputs: Sequence[Array], outputs: Sequence[Array]) -> Call:
        """Downwards through the pairs."""
        gradient, s, y, pairs = inputs
        q, a = outputs
        work: AnyArray = np.empty_like(gradient)

        def call() -> None:
            np.copyto(q, gradient)
            a.fill(0)
            for i in reversed(range(int(pairs))):
                a[i] = np.dot(s[i], q) / np.dot(s[i], y[i])
                np.multiply(y[i], a[i], work)
                np.subtract(q, work, q)

        return call

    def explain(self, read: Reading) -> Meaning:
        """The gradient less what the pairs explain of it."""
        g, known, place = read.input(0, read.element[0], as_="g"), _known(read, 3), read.element[0]
        if not known:
            return Meaning(
                read.lines(g, as_="q"),
                "No update to learn the curvature from yet: it begins as gradient descent.",
            )
        pairs = slice(0, known)
        terms = read.output(1, pairs) * read.input(2, pairs, place)
        return Meaning(
            read.lines(g - total(terms), as_="q"),
            f"From the gradient is taken what the last {known} updates say of it: going along s "
            "changed the gradient by y, so what of it lies along a y needs a step along its s.",
        )


class SecondLoop(Primitive):
    """p = −(γq + Σ (a − b) s), from the oldest pair to the newest, with b = y·r / s·y of r so far.

    γ = s·y / y·y of the newest pair (7.20): the usual curvature. Outputs: p (parameters,), b
    (history,).
    """

    name = "direction"
    formula = "p = −(γ·q + Σ (a − b)·s)"

    def bind(self, inputs: Sequence[Array], outputs: Sequence[Array]) -> Call:
        """Upwards through the pairs."""
        q, s, y, a, pairs = inputs
        p, b = outputs
        work: AnyArray = np.empty_like(q)

        def call() -> None:
            known = int(pairs)
            np.copyto(p, q)
            b.fill(0)
            if known:
                last_s, last_y = s[known - 1], y[known - 1]
                np.multiply(p, np.dot(last_s, last_y) / np.dot(last_y, last_y), p)
            for i in range(known):
                b[i] = np.dot(y[i], p) / np.dot(s[i], y[i])
                np.multiply(s[i], a[i] - b[i], work)
                np.add(p, work, p)
            np.negative(p, p)

        return call

    def explain(self, read: Reading) -> Meaning:
        """Scaled, and the steps that the pairs tell of added."""
        q, known, place = read.input(0, read.element[0], as_="q"), _known(read, 4), read.element[0]
        if not known:
            return Meaning(read.lines(-q, as_="p"), "Straight down: against the gradient.")
        newest_s = read.input(1, known - 1, ..., as_="s")
        newest_y = read.input(2, known - 1, ..., as_="y")
        scale = part("γ", total(newest_s * newest_y) / total(newest_y * newest_y))
        pairs = slice(0, known)
        coefficients = read.input(3, pairs) - read.output(1, pairs)
        right = -(scale * q + total(coefficients * read.input(1, pairs, place)))
        return Meaning(
            read.lines(right, as_="p"),
            "The direction that Newton's method would take, as far as the last updates know the "
            "curvature: long where the loss is flat, short where it is steep and narrow.",
        )


class StepLength(Primitive):
    """α with E(w + αp) low and flat enough: the strong Wolfe conditions.

    Inputs: p, g, w, the step to try first, pairs, and the scalars whose sum E is. Outputs: α, E
    there, the number of evaluations, g there (parameters,). α is 0 where p leads nowhere lower.
    """

    name = "line search"
    formula = "α: E(w + αp) ≤ E + c₁α·p·g and |p·g(w + αp)| ≤ c₂|p·g|"

    def __init__(self, objective: Objective) -> None:
        self.objective = objective

    def bind(self, inputs: Sequence[Array], outputs: Sequence[Array]) -> Call:
        """Evaluates the program's operations at other weights."""
        direction, gradient, weights, rate, pairs, *_ = inputs
        length, low, evaluations, after = outputs
        origin: AnyArray = np.empty_like(weights)
        there: AnyArray = np.empty_like(weights)
        objective, resolution = self.objective, float(np.finfo(origin.dtype).eps)

        def evaluate(at: float) -> Point:
            np.multiply(direction, np.array(at, there.dtype), there)
            np.add(origin, there, there)
            value = objective.at(there)
            slope = float(np.dot(objective.gradient, direction))
            np.copyto(after, objective.gradient)
            return Point(at, value, slope)

        def search(start: Point) -> tuple[Point, int]:
            first = float(rate)
            if not pairs:
                first *= min(1.0, 1 / math.sqrt(-start.slope))
            searching = LineSearch(evaluate, start, resolution)
            with objective.elsewhere():
                found = searching.run(first)
                again = found.at > 0 and found is not searching.last
                if again:
                    evaluate(found.at)
            return found, searching.evaluations + again

        def call() -> None:
            found = start = Point(0.0, objective.loss(), float(np.dot(gradient, direction)))
            made = 0
            np.copyto(origin, weights)
            if -math.inf < start.slope < 0:
                found, made = search(start)
            if not found.at:
                np.copyto(after, gradient)
            length.fill(found.at)
            low.fill(found.value)
            evaluations.fill(made)

        return call

    def explain(self, read: Reading) -> Meaning:
        """The slope along the line, the loss that is low enough, the loss found, α."""
        slope = total(read.input(0, ..., as_="p") * read.input(1, ..., as_="g"))
        here: Expression = read.input(5)
        for position in range(6, len(read.inputs)):
            here = here + read.input(position)
        length, low, made = (read.output(which, as_=as_) for which, as_ in enumerate("αEn"))
        found = Quantity("the step found", length.value)
        allowed = here + lift(DECREASE) * found * part("φ′(0)", slope)
        lines = (
            read.recalled(Quantity("φ′(0)"), slope),
            read.recalled(Quantity("low enough"), allowed),
            read.recalled(Quantity("φ(α)"), Quantity("the loss there", low.value)),
            *read.lines(found, as_="α"),
        )
        return Meaning(lines, _told(length.scalar, here.scalar - low.scalar, made.scalar))


def _told(length: float, gained: float, made: float) -> str:
    told = (
        "How far to go: the network was run with other weights along the direction until the loss "
        "was low enough and no longer fell steeply (the strong Wolfe conditions)"
    )
    if length == 0:
        return (
            f"{told}. After {made:g} evaluations no lower loss was found: the weights stay, and "
            "what was learned of the curvature is forgotten."
        )
    if length > 0:
        times = "one evaluation" if made == 1 else f"{made:g} evaluations"
        return f"{told}. It took {times}; the loss will be {gained:.4g} less."
    return f"{told}."


def _step() -> Formula:
    return Formula(
        "step",
        "Δw",
        "p α",
        lambda p, length: length * p,
        lambda *_: "The direction times the length that the search found.",
        np.multiply,
    )


def _turned() -> Formula:
    return Formula(
        "change of gradient",
        "y",
        "g₊ g",
        lambda after, before: after - before,
        lambda *_: (
            "How the step changes the gradient tells how curved the loss is; g₊ was computed by "
            "the search."
        ),
        np.subtract,
    )


class Remember(Primitive):
    """The newest pair s = Δw, y = Δg takes its place; where there are m of them the oldest goes.

    Only where the loss curves upwards, Δw·Δg > 0 by more than rounding: else the direction might
    lead up. After a search that found nothing all are forgotten.
    """

    name = "memory"
    formula = "s, y ← Δw, Δg"

    def bind(self, inputs: Sequence[Array], outputs: Sequence[Array]) -> Call:
        """Moves the pairs down by one where they are full."""
        pairs, s, y, change, turned, length = inputs

        def call() -> None:
            known = int(pairs)
            if not length:
                pairs.fill(0)
            elif _curves(change, turned):
                if known == len(s):
                    for i in range(known - 1):  # row by row: nothing large is allocated
                        np.copyto(s[i], s[i + 1])
                        np.copyto(y[i], y[i + 1])
                    known -= 1
                np.copyto(s[known], change)
                np.copyto(y[known], turned)
                pairs.fill(known + 1)

        del outputs  # they are the first three inputs
        return call

    def explain(self, read: Reading) -> Meaning:
        """How many pairs there are."""
        pairs, most = read.input(0, as_="pairs"), read.inputs[1].shape[0]
        change, turned = read.input(3, ..., as_="Δw"), read.input(4, ..., as_="y")
        curvature = read.recalled(Quantity("Δw·y"), total(change * turned))
        right: Expression = pairs
        told = "The loss does not curve upwards along this step: there is nothing to learn from it."
        if read.input(5).scalar == 0:
            right, told = lift(0), "No step was made: what is remembered may mislead, and goes."
        elif _curves(change.value, turned.value, read.inputs[3].array.dtype):
            right = smallest(pairs + 1, most)
            told = "Step and change of gradient are remembered, for the next directions."
            if pairs.scalar == most:
                told += f" The oldest of {most} goes."
        return Meaning((curvature, *read.lines(right, as_="pairs")), told)


def _curves(change: AnyArray, turned: AnyArray, dtype: Any = None) -> bool:
    """y·s > ε y·y, as in SciPy's."""
    epsilon = np.finfo(dtype or change.dtype).eps
    return bool(np.dot(change, turned) > epsilon * np.dot(turned, turned))


def _known(read: Reading, position: int) -> int:
    """How many pairs there are."""
    return int(read.input(position).scalar)
