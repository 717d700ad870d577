"""What Build can do with layers and branches: add, copy, move, take out."""

from typing import Any, ClassVar

from textual import work
from textual.binding import Binding, BindingType

from tui_nn.draft import Draft
from tui_nn.forms.parts import (
    branches_of,
    is_branch,
    is_parallel,
    layer_kinds,
    listed,
    new_layer,
)
from tui_nn.forms.picker import Picker
from tui_nn.modes.build_files import Filing
from tui_nn_engine.blocks.paths import steps_of, value_at

_MOVE = Binding.Group("Move ", compact=True)
LEAST_BRANCHES = 2


class Arranging(Filing):
    """Keys on the chosen layer or branch. Subclasses keep its path in `part` and show another."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("a", "add", "Add layer", tooltip="After the chosen one, or into the chosen branch"),
        ("d", "duplicate", "Duplicate"),
        ("x,delete", "remove", "Remove"),
        Binding("ctrl+up,K", "move(-1)", "Move up", group=_MOVE),
        Binding("ctrl+down,J", "move(1)", "Move down", group=_MOVE),
        Binding(
            "greater_than_sign",
            "enter_branch",
            "Into a branch",
            key_display=">",
            show=False,
            tooltip="Of the parallel block before the chosen layer, or after it",
        ),
        Binding(
            "less_than_sign",
            "leave_branch",
            "Out of the branch",
            key_display="<",
            show=False,
            tooltip="The chosen layer comes after the parallel block",
        ),
    ]

    def __init__(self, draft: Draft) -> None:
        super().__init__(draft)
        self.part = "data"

    def show_arranged(self, path: str, *, place: str | None = None) -> None:
        """Layers were changed: show the part at `path`; `place`: and go to the field there."""
        raise NotImplementedError

    def _siblings(self) -> list[Any]:
        """The list that the chosen part stands in."""
        found = value_at(self.draft.tree, steps_of(listed(self.part)[0]), ())
        return list(found) if isinstance(found, list | tuple) else []

    @work
    async def action_add(self) -> None:
        """Choose a type; the new layer comes after the chosen one, else before the last.

        Into a chosen branch it comes first; a parallel block may get another branch instead.
        """
        draft, branch = self.draft, is_branch(self.part)
        kinds = layer_kinds(draft.model)
        if branch or is_parallel(draft.value(self.part)):
            kinds = {"branch": "one more beside those there are", **kinds}
        kind = await self.app.push_screen_wait(Picker("Add a layer", kinds))
        if kind is None:
            return
        owner, index = listed(self.part)
        if kind == "branch":
            owner = owner if branch else f"{self.part}.branches"
            block = self.part.rpartition(".")[0] if branch else self.part
            index, tree = len(draft.value(f"{block}.branches") or ()), {"name": "", "layers": []}
        elif branch:
            owner, index, tree = f"{self.part}.layers", 0, new_layer(kind, ())
        else:
            owner = owner or "layers"
            last = max(0, len(draft.layers) - 1)
            index = last if index is None else index + 1
            before = draft.value(owner) or ()
            tree = new_layer(kind, before[:index] if isinstance(before, list | tuple) else ())
        path = f"{owner}[{index}]"
        draft.insert(path, tree)
        self.show_arranged(path, place=path)

    def action_duplicate(self) -> None:
        """Put a copy of the chosen layer or branch after it."""
        owner, index = listed(self.part)
        if index is not None:
            self.draft.duplicate(self.part)
            self.show_arranged(f"{owner}[{index + 1}]")

    def action_remove(self) -> None:
        """Take the chosen layer or branch out."""
        owner, index = listed(self.part)
        if index is not None and self._removable():
            self.draft.remove(self.part)
            left = len(self.draft.value(owner) or ())
            self.show_arranged(f"{owner}[{min(index, left - 1)}]" if left else _around(owner))

    def action_move(self, by: int) -> None:
        """Move the chosen layer or branch up or down, among those beside it."""
        owner, index = listed(self.part)
        if index is not None and 0 <= index + by < len(self._siblings()):
            self.draft.move(self.part, index + by)
            self.show_arranged(f"{owner}[{index + by}]")

    def action_enter_branch(self) -> None:
        """Move the chosen layer into a branch: the last one before it, or the first after it."""
        if (to := self._inwards()) is not None:
            self.draft.transfer(self.part, to)
            self.show_arranged(to)

    def action_leave_branch(self) -> None:
        """Move the chosen layer out of its branch, to after the block."""
        if (to := self._outwards()) is not None:
            self.draft.transfer(self.part, to)
            self.show_arranged(to)

    def _inwards(self) -> str | None:
        """The place in a branch that the chosen layer can go to; None where there is no branch."""
        owner, index = listed(self.part)
        if index is None or is_branch(self.part):
            return None
        layers = self._siblings()
        if index and (branches := branches_of(layers[index - 1])):
            block = f"{owner}[{index - 1}].branches[{len(branches) - 1}]"
            inside = self.draft.value(f"{block}.layers") or ()
            return f"{block}.layers[{len(inside)}]"
        # The block after it comes to stand where the layer stood.
        after = any(map(branches_of, layers[index + 1 : index + 2]))
        return f"{owner}[{index}].branches[0].layers[0]" if after else None

    def _outwards(self) -> str | None:
        """The place after the block that the chosen layer is in a branch of."""
        block, found, _ = self.part.rpartition(".branches")
        if not found or is_branch(self.part):
            return None
        owner, index = listed(block)
        return None if index is None else f"{owner}[{index + 1}]"

    def _removable(self) -> bool:
        return not is_branch(self.part) or len(self._siblings()) > LEAST_BRANCHES

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Grey out what can't be done now."""
        _, index = listed(self.part)
        match action:
            case "duplicate":
                return index is not None or None
            case "remove":
                return (index is not None and self._removable()) or None
            case "move":
                to = -1 if index is None else index + int(str(parameters[0]))
                return 0 <= to < len(self._siblings()) or None
            case "enter_branch":
                return self._inwards() is not None or None
            case "leave_branch":
                return self._outwards() is not None or None
        return True


def _around(owner: str) -> str:
    """The part that an emptied list belongs to: its branch, or what stands before the layers."""
    return owner.rpartition(".")[0] or "data"
