"""What the size of weights costs beside the loss, with Keras's names and scaling."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from tui_nn_engine.blocks.schema import OneOf, Shorthand

Weight = Annotated[float, Field(ge=0)]


class Regularizer(Shorthand):
    """A penalty l1·Σ|w| + l2·Σw² on one weight array, added to the mean loss of each batch.

    As in Keras it is divided by nothing. scikit-learn adds alpha/(2·n)·Σw² instead, n being the
    samples of the batch: its alpha is an l2 of alpha/(2·n). PyTorch's weight_decay of its SGD adds
    weight_decay·w to the gradient: it is an l2 of weight_decay/2.
    """

    @property
    def weights(self) -> tuple[float, float]:
        """What |w| and what w² count."""
        raise NotImplementedError


class L1(Regularizer):
    """l1·Σ|w| (Tibshirani 1996, the lasso): weights that do not pay become exactly 0."""

    type: Literal["l1"] = "l1"
    summary: ClassVar[str] = "l1·Σ|w|: drives weights that do not pay to 0"
    l1: Annotated[Weight, Field(description="what each |w| counts in the loss")] = 0.01

    @property
    def weights(self) -> tuple[float, float]:
        """(l1, 0)."""
        return self.l1, 0.0


class L2(Regularizer):
    """l2·Σw² (Hoerl & Kennard 1970, ridge; weight decay): no weight grows large without need."""

    type: Literal["l2"] = "l2"
    aliases: ClassVar[tuple[str, ...]] = ("ridge",)
    summary: ClassVar[str] = "l2·Σw²: keeps all weights small; scikit-learn's alpha is 2·batch·l2"
    l2: Annotated[
        Weight, Field(description="what each w² counts; scikit-learn: alpha/(2·batch size)")
    ] = 0.01

    @property
    def weights(self) -> tuple[float, float]:
        """(0, l2)."""
        return 0.0, self.l2


class L1L2(Regularizer):
    """Both (Zou & Hastie 2005, the elastic net)."""

    type: Literal["l1_l2"] = "l1_l2"
    aliases: ClassVar[tuple[str, ...]] = ("elastic_net",)
    summary: ClassVar[str] = "both: l1·Σ|w| + l2·Σw²"
    l1: Annotated[Weight, Field(description="what each |w| counts in the loss")] = 0.01
    l2: Annotated[
        Weight, Field(description="what each w² counts; scikit-learn: alpha/(2·batch size)")
    ] = 0.01

    @property
    def weights(self) -> tuple[float, float]:
        """(l1, l2)."""
        return self.l1, self.l2


REGULARIZERS: tuple[type[Regularizer], ...] = (L1, L2, L1L2)
AnyRegularizer = Annotated[Regularizer, OneOf(REGULARIZERS)]
