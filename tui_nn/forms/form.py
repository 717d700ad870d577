"""The form of a block: a field for each of its own, blocks within it as forms of their own."""

from collections.abc import Iterable
from typing import Any

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.widgets import Button, Collapsible, Static

from tui_nn.draft import edited
from tui_nn.forms.field import ChoiceField, Edited, Field, NumbersField, TextField, TruthField
from tui_nn.forms.file_field import FileField
from tui_nn.forms.spec import (
    Choice,
    File,
    Listing,
    Nested,
    Number,
    Numbers,
    Spec,
    Text,
    Truth,
    Variants,
    specs,
)
from tui_nn_engine.blocks.schema import Block, Problem

NOT_OFFERED = frozenset({"arrays"})
"""Kinds that make sense in Python only: shown where a file has one, not offered."""


def field(spec: Spec, path: str, value: Any) -> Field:
    """The field on the screen for what `spec` says; `value` is what stands at `path`."""
    match spec.content:
        case Number() | Text():
            return TextField(spec, path, value)
        case File():
            return FileField(spec, path, value)
        case Truth():
            return TruthField(spec, path, value)
        case Choice():
            return ChoiceField(spec, path, value)
        case Numbers():
            return NumbersField(spec, path, value)
        case Variants():
            return VariantsField(spec, path, value)
        case Nested():
            return NestedField(spec, path, value)
        case Listing():
            return ListField(spec, path, value)


class Form(Vertical):
    """All fields of a block. It tells every edit as `Edited(path, value)`."""

    DEFAULT_CSS = """
    Form { height: auto; }
    """

    def __init__(self, fields: Iterable[Spec], path: str, value: Any) -> None:
        super().__init__()
        self.path = path
        table = value if isinstance(value, dict) else {}
        self.fields = [field(one, _join(path, one.name), table.get(one.name)) for one in fields]

    @classmethod
    def of(cls, block: type[Block], path: str, value: Any, *, without: str = "") -> "Form":
        """The form of a block, without its tag and what the list of parts shows of it."""
        shown = (one for one in specs(block) if one.name != without and not one.outlined)
        return cls(shown, path, value)

    def compose(self) -> ComposeResult:
        """One below the other."""
        yield from self.fields

    def show(self, value: Any) -> None:
        """Show what now stands in the experiment."""
        table = value if isinstance(value, dict) else {}
        for one in self.fields:
            one.show(table.get(one.spec.name))

    def move(self, path: str) -> None:
        """Be the form of the block at this path from now on; `show` is to follow."""
        self.path = path
        for one in self.fields:
            one.move(_join(path, one.spec.name))

    def show_problems(self, problems: Iterable[Problem]) -> tuple[Problem, ...]:
        """Show each beside its field; returns those of no field."""
        rest = tuple(problems)
        for one in self.fields:
            rest = one.show_problems(rest)
        return rest


class VariantsField(ChoiceField):
    """A block of one of several kinds: which one, and below it the form of that kind."""

    DEFAULT_CSS = """
    VariantsField > .inner { height: auto; padding: 1 0 0 1; border-left: outer $primary 30%; }
    VariantsField > .inner.-empty { display: none; }
    """

    def __init__(self, spec: Spec, path: str, value: Any) -> None:
        assert isinstance(spec.content, Variants)  # noqa: S101
        self.variants = spec.content
        super().__init__(spec, path, value)
        self._shown = self.chosen
        self.form = self._new_form()
        self._inner = Vertical(classes="inner")
        self._inner.set_class(not self.form.fields, "-empty")
        self._say_kind()

    def compose(self) -> ComposeResult:
        """The choice, then the fields of the chosen kind."""
        yield from super().compose()
        with self._inner:
            yield self.form

    def names(self) -> list[tuple[Any, str]]:
        """The kinds and their summaries."""
        offered = [name for name in self.variants.blocks if name not in NOT_OFFERED]
        return [(name, self.variants.summary(name)) for name in offered]

    @property
    def chosen(self) -> Any:
        """The kind."""
        return self.variants.chosen(self.effective)

    def render_value(self) -> None:
        """Another kind has another form."""
        if self.chosen != self._shown:
            self._rebuild()
            super().render_value()
        else:
            self.form.show(self.effective)

    def move(self, path: str) -> None:
        """With the fields of the chosen kind."""
        self.form.move(path)
        super().move(path)

    def take(self, name: Any) -> None:
        """Switch the kind, keeping the fields that both have; to none where that is a choice."""
        self.edit(None if name is None else self.variants.switched(self.effective, name))
        self._rebuild()

    def show_problems(self, problems: Iterable[Problem]) -> tuple[Problem, ...]:
        """Those of the chosen kind's fields there, the others here."""
        problems = tuple(problems)
        own = [one for one in problems if self.owns(one)]
        here = self.form.show_problems(own)
        super().show_problems(here)
        return tuple(one for one in problems if one not in own)

    def words(self, problem: Problem) -> str:
        """With the name of the field where this form has none for it."""
        inside = problem.path.removeprefix(self.path).lstrip(".")
        return f"{inside}: {problem.message}" if inside else problem.message

    @on(Edited)
    def _kind_by_default(self, event: Edited) -> None:
        """An edit within a kind that holds by default: the kind must now be written beside it."""
        if self.value is None and self.holds(event.path):
            event.stop()
            default = {self.variants.tag: self.chosen}
            self.edit(edited(default, self._inside(event.path), event.value))

    def _rebuild(self) -> None:
        self._shown = self.chosen
        old, self.form = self.form, self._new_form()
        self._inner.set_class(not self.form.fields, "-empty")
        self._say_kind()
        old.remove()
        self._inner.mount(self.form)

    def _say_kind(self) -> None:
        """What the field is for, and what the chosen kind is."""
        known = self.chosen in self.variants.blocks
        kind = f"{self.chosen}: {self.variants.summary(self.chosen)}" if known else ""
        self._help.update(" · ".join(words for words in (self.spec.help, kind) if words))
        self._help.display = bool(self.spec.help or kind)

    def _new_form(self) -> Form:
        block = self.variants.blocks.get(self.chosen)
        if block is None:
            return Form([], self.path, {})
        return Form.of(block, self.path, self.effective, without=self.variants.tag)


class NestedField(Field):
    """A block within the block, folded."""

    def __init__(self, spec: Spec, path: str, value: Any) -> None:
        super().__init__(spec, path, value)
        assert isinstance(spec.content, Nested)  # noqa: S101
        self.form = Form.of(spec.content.block, path, value)

    def compose_editor(self) -> ComposeResult:
        """Its form, which opens."""
        with Collapsible(title=self.spec.label):
            yield self.form

    def move(self, path: str) -> None:
        """With its fields."""
        self.form.move(path)
        super().move(path)

    def render_value(self) -> None:
        """Each of its fields."""
        self.form.show(self.value)

    def show_problems(self, problems: Iterable[Problem]) -> tuple[Problem, ...]:
        """Those of its fields there, the others here."""
        problems = tuple(problems)
        own = [one for one in problems if self.owns(one)]
        super().show_problems(self.form.show_problems(own))
        return tuple(one for one in problems if one not in own)


class ListField(Field):
    """A list of blocks, each folded, with buttons to add and to remove."""

    DEFAULT_CSS = """
    ListField .items { height: auto; width: 1fr; }
    ListField .item { height: auto; }
    """

    def __init__(self, spec: Spec, path: str, value: Any) -> None:
        super().__init__(spec, path, value)
        assert isinstance(spec.content, Listing)  # noqa: S101
        self._item = spec.content.item
        self._items = Vertical(classes="items")
        self.fields: list[Field | Form] = []

    def compose_editor(self) -> ComposeResult:
        """The items, then the button."""
        with self._items:
            yield from self._rows()

    @property
    def _values(self) -> list[Any]:
        return list(self.value) if isinstance(self.value, list | tuple) else []

    def _rows(self) -> list[Static | Collapsible | Button]:
        self.fields = []
        rows: list[Static | Collapsible | Button] = []
        for index, value in enumerate(self._values):
            path = f"{self.path}[{index}]"
            one: Field | Form
            if isinstance(self._item, Nested):
                one = Form.of(self._item.block, path, value)
            else:
                one = VariantsField(Spec("", "kind", "", self._item), path, value)
            self.fields.append(one)
            remove = Button("Remove", name=str(index), compact=True)
            rows.append(
                Collapsible(one, Horizontal(remove), title=f"{self.spec.label} {index + 1}")
            )
        rows.append(Button("Add", name="add", compact=True))
        return rows

    def move(self, path: str) -> None:
        """With its items."""
        for index, one in enumerate(self.fields):
            one.move(f"{path}[{index}]")
        super().move(path)

    def render_value(self) -> None:
        """Anew where their number changed."""
        if len(self._values) == len(self.fields):
            for one, value in zip(self.fields, self._values, strict=True):
                one.show(value)
        else:
            self._rebuild()

    def show_problems(self, problems: Iterable[Problem]) -> tuple[Problem, ...]:
        """Those of its items there, the others here."""
        problems = tuple(problems)
        own = rest = tuple(one for one in problems if self.owns(one))
        for one in self.fields:
            rest = one.show_problems(rest)
        super().show_problems(rest)
        return tuple(one for one in problems if one not in own)

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        event.stop()
        name = event.button.name or ""
        if name == "add":
            self.edit([*self._values, {}])
        else:
            self.edit([value for i, value in enumerate(self._values) if i != int(name)])
        self._rebuild()

    def _rebuild(self) -> None:
        self._items.remove_children()
        self._items.mount_all(self._rows())


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
