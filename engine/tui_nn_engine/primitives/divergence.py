"""The Kullback-Leibler divergence: the cross-entropy less what no belief could save."""

from collections.abc import Sequence
from typing import ClassVar, Literal

import numpy as np

from tui_nn_engine.formulas.expressions import Expression, Quantity, lift
from tui_nn_engine.formulas.functions import ln, total
from tui_nn_engine.primitives.activations import Softmax
from tui_nn_engine.primitives.crossentropies import (
    TINY,
    CategoricalFromLogits,
    CategoricalFromProbabilities,
    kept_within,
    logits_of,
)
from tui_nn_engine.primitives.loss import AnyArray, Loss, LossOp
from tui_nn_engine.programs.program import Builder, Call, Slot

_NAME = "kl_divergence"
_MEANING = (
    "How far the believed probabilities are from the true ones: 0 where they agree. (A class whose "
    "true probability is 0 adds nothing: 0·ln 0 counts as 0.)"
)


def _divergence(target: Expression, p: Expression) -> Expression:
    """Σ t ln (t/p) over the classes that have a share of the truth."""
    true = np.flatnonzero(np.asarray(target.value) > 0)
    there, believed = target.at(true), p.at(true)
    return total(there * ln(there / believed)) if true.size else lift(0)


def _bind_certainty(target: AnyArray, terms: AnyArray) -> Call:
    """A call that adds t ln t to the terms."""
    return lambda: np.add(terms, target * np.log(np.where(target > 0, target, 1)), terms)


class _FromLogits(CategoricalFromLogits):
    """Σ t ln t more than the cross-entropy; the slope is the same, p − t."""

    name = _NAME
    formula = f"E = Σ {(Quantity('t') * ln(Quantity('t') / Quantity('p'))).text()}, p = softmax(z)"
    meaning = _MEANING

    def of_outputs(self, *inputs: Expression) -> Expression:
        _, target, p = inputs
        if not (np.asarray(p.value) < TINY).any():
            return _divergence(target, p)
        return super().of_outputs(*inputs) + _divergence(target, lift(1))

    def bind_terms(self, inputs: Sequence[AnyArray], terms: AnyArray) -> Call:
        crossentropy = super().bind_terms(inputs, terms)
        add_certainty = _bind_certainty(inputs[1], terms)

        def call() -> None:
            crossentropy()
            add_certainty()

        return call


class _FromProbabilities(CategoricalFromProbabilities):
    """With y kept within [1e-7, 1 - 1e-7], as for the cross-entropy."""

    name = _NAME
    formula = f"E = Σ {(Quantity('t') * ln(Quantity('t') / Quantity('y'))).text()}"
    meaning = _MEANING

    def of_outputs(self, *inputs: Expression) -> Expression:
        y, target = inputs
        return _divergence(target, kept_within(y))

    def bind_terms(self, inputs: Sequence[AnyArray], terms: AnyArray) -> Call:
        crossentropy = super().bind_terms(inputs, terms)
        add_certainty = _bind_certainty(inputs[1], terms)

        def call() -> None:
            crossentropy()
            add_certainty()

        return call


class KLDivergence(Loss):
    """Σ t ln (t/y) over the classes, mean over samples (Kullback & Leibler 1951).

    Targets are probabilities that sum to 1; for one-hot rows it is the categorical cross-entropy.
    0 ln 0 is 0, as in PyTorch; Keras takes a target below 1e-7 for 1e-7, which makes a difference
    of 2e-6 at most a class.
    """

    type: Literal["kl_divergence"] = "kl_divergence"
    aliases: ClassVar[tuple[str, ...]] = ("kullback_leibler_divergence", "kld")
    summary: ClassVar[str] = "Σ t·ln(t/y): for targets that are probabilities (softmax)"

    def operation(
        self, builder: Builder, output: Slot, target: Slot
    ) -> tuple[LossOp, tuple[Slot, ...]]:
        """From the logits of a softmax, else from probabilities."""
        if z := logits_of(builder, output, Softmax):
            return _FromLogits(), (z, target, output)
        return _FromProbabilities(), (output, target)
