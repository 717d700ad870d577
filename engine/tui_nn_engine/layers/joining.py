"""Where branches meet. A join is no block of the file: a parallel block says which it ends in."""

from typing import ClassVar, Literal

from tui_nn_engine.layers.layer import Layer, Shape
from tui_nn_engine.primitives.joining import AddBranches
from tui_nn_engine.primitives.joining import Concatenate as ConcatenateBranches
from tui_nn_engine.programs.program import Builder, Slot


class Join(Layer):
    """Makes one of the outputs of several branches, which it is handed in the file's order."""

    rearranges: ClassVar[bool] = True
    needs: ClassVar[str]
    """What the branches' shapes must be to fit each other, in words."""

    def output_shape(self, *shapes: Shape) -> Shape:
        """Of the branches' shapes."""
        raise NotImplementedError

    def fits(self, *shapes: Shape) -> bool:
        """Whether the branches' shapes fit each other."""
        raise NotImplementedError

    def emit(self, builder: Builder, *x: Slot) -> Slot:
        """One operation on the branches' outputs."""
        raise NotImplementedError


class Concatenate(Join):
    """The branches side by side along the last axis; the axes before it are equal."""

    type: Literal["concatenate"] = "concatenate"
    summary: ClassVar[str] = "the branches side by side"
    needs: ClassVar[str] = "only the last axis may differ"

    def output_shape(self, *shapes: Shape) -> Shape:
        """(..., sum of the features)."""
        return (*shapes[0][:-1], sum(shape[-1] for shape in shapes))

    def fits(self, *shapes: Shape) -> bool:
        """All axes but the last must be equal."""
        return len({shape[:-1] for shape in shapes}) == 1

    def emit(self, builder: Builder, *x: Slot) -> Slot:
        """A copy of each."""
        return builder.apply(ConcatenateBranches(), *x, name="h")


class Add(Join):
    """The branches added up, unit by unit: all have the same shape."""

    type: Literal["add"] = "add"
    summary: ClassVar[str] = "the branches added up, unit by unit"
    needs: ClassVar[str] = "all must have the same shape"

    def output_shape(self, *shapes: Shape) -> Shape:
        """That of each."""
        return shapes[0]

    def fits(self, *shapes: Shape) -> bool:
        """All shapes must be equal."""
        return len(set(shapes)) == 1

    def emit(self, builder: Builder, *x: Slot) -> Slot:
        """A sum."""
        return builder.apply(AddBranches(), *x, name="h")


JOINS: dict[str, Join] = {"concatenate": Concatenate(), "add": Add()}
