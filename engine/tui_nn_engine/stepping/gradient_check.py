"""Backpropagation compared with the numerical gradient: two forward passes, one weight moved."""

import math
from dataclasses import dataclass

import numpy as np

from tui_nn_engine.networks.network import Network
from tui_nn_engine.programs.parameters import Parameters
from tui_nn_engine.programs.program import Program
from tui_nn_engine.programs.weights import Weight, weight_named
from tui_nn_engine.stepping.stepper import Stepper
from tui_nn_engine.training.threads import limited

EPSILON = 1e-5  # near the cube root of float64's 2.2e-16, where both errors below are small
TOLERANCE = {"float32": (1e-3, 1e-6), "float64": (1e-6, 1e-9)}  # relative, absolute


@dataclass(frozen=True, slots=True)
class GradientChecked:
    """∂E/∂w of one weight, by backpropagation and as (E(w + ε) − E(w − ε)) / 2ε.

    `value` is the weight before update `iteration` (counted from 1), `above` and `below` are the
    batch's losses at w + ε and w − ε, penalties included. `backprop` is nan where the weight is
    frozen. `difference` is relative: |backprop − numerical| / max(|backprop|, |numerical|), 0 where
    both are 0.
    `passes` forward passes would check all `parameters` weights; backpropagation needs one
    forward and one backward pass for all of them. `sentence` says it in words.
    """

    weight: str
    iteration: int
    value: float
    epsilon: float
    above: float
    below: float
    numerical: float
    backprop: float
    difference: float
    agrees: bool
    parameters: int
    passes: int
    sentence: str


def check_gradient(stepper: Stepper, name: str, epsilon: float = EPSILON) -> GradientChecked:
    """Check one weight ("dense_1.kernel[0, 3]") at the update being stepped.

    The passes run in float64, on a copy of the network with this update's batch and dropout masks;
    the stepper stays where it is. The central difference errs by ε²E‴/6 and by rounding, about
    1e-16 E/ε (Press et al., Numerical Recipes, 3rd ed., 5.7). Raises ValueError for a weight that
    does not exist, and for a network that learns by a rule.
    """
    if rule := stepper.trainer.experiment.rule:
        raise ValueError(f"{rule.type} learns by a rule, not by a gradient: nothing to compare")
    weight = weight_named(name, stepper.trainer.parameters)
    copy, program = _copy_of(stepper)
    value = float(copy.values[weight.position])
    losses = []
    with limited(stepper.trainer.threads), np.errstate(all="ignore"):
        for moved in (value + epsilon, value - epsilon):
            copy.values[weight.position] = moved
            for op in program.ops:
                if op.phase in {"forward", "loss"}:
                    op.call()
            losses.append(program.loss_value + program.penalty)
    above, below = losses
    numerical = (above - below) / (2 * epsilon)
    backprop = _backprop(stepper, weight)
    larger = max(abs(backprop), abs(numerical))
    distance = abs(backprop - numerical)
    relative, absolute = TOLERANCE[stepper.trainer.experiment.dtype]
    agrees = distance <= relative * larger + absolute * max(1.0, abs(above))
    return GradientChecked(
        weight=weight.name,
        iteration=stepper.iteration,
        value=value,
        epsilon=epsilon,
        above=above,
        below=below,
        numerical=numerical,
        backprop=backprop,
        difference=distance / larger if larger else 0.0,
        agrees=agrees,
        parameters=copy.values.size,
        passes=2 * copy.values.size,
        sentence=_sentence(stepper, agrees=agrees, backprop=backprop, numerical=numerical),
    )


def _copy_of(stepper: Stepper) -> tuple[Parameters, Program]:
    """The network in float64 as it was before this update, with its batch in place."""
    trainer, ours = stepper.trainer, stepper.program
    experiment = trainer.experiment.model_copy(update={"dtype": "float64"})
    network = Network(experiment, trainer.data.sample_shape)
    parameters = network.parameters()
    for name, view in parameters.views.items():
        view[...] = stepper.before[name]
    state = {
        name: array.astype(array.dtype if array.dtype == np.int64 else np.float64)
        for name, array in trainer.state.slots().items()
    }
    program = network.compile(ours.batch, parameters, state)
    program.x.array[...] = ours.x.array
    program.y.array[...] = ours.y.array
    return parameters, program


def _backprop(stepper: Stepper, weight: Weight) -> float:
    """What the update being stepped computes for it; nan for a frozen weight."""
    gradients = stepper.trainer.parameters.gradients
    if weight.position >= len(gradients):
        return math.nan
    here = stepper.cursor
    computed = sum(op.phase != "update" for op in stepper.ops)
    stepper.go_to(max(here, computed))
    found = float(gradients[weight.position])
    stepper.go_to(here)
    return found


def _sentence(stepper: Stepper, *, agrees: bool, backprop: float, numerical: float) -> str:
    if math.isnan(backprop) and math.isfinite(numerical):
        return "This weight is frozen: backpropagation computes no gradient for it."
    if not (math.isfinite(backprop) and math.isfinite(numerical)):
        return "A number is not finite here, so there is nothing to compare."
    if not agrees:
        return (
            "They differ. An activation with a kink or a jump (relu, step) whose net input lies "
            "within ε of it makes the numerical gradient wrong; elsewhere they should agree."
        )
    if stepper.trainer.experiment.dtype == "float32":
        return "They agree as far as float32, with its 7 digits, lets backpropagation compute."
    return "They agree."
