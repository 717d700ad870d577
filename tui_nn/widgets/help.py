"""What a mode is for and all its keys, over the screen: read from the bindings."""

from collections.abc import Iterator, Mapping
from typing import Final

from rich.table import Table
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Container, VerticalScroll
from textual.dom import DOMNode
from textual.screen import ModalScreen, Screen
from textual.widgets import Label, Markdown, Static

EVERYWHERE: Final = "Everywhere"
HERE: Final = "Where you are"
LAST: Final = (HERE, EVERYWHERE)

Keys = Mapping[str, Mapping[str, str]]


class Help(ModalScreen[None]):
    """Words on the mode, and by heading what each key does."""

    DEFAULT_CSS = """
    Help { align: center middle; }
    Help > VerticalScroll {
        width: 116; max-width: 96%; height: auto; max-height: 94%;
        border: round $primary; background: $surface; padding: 0 1;
        border-title-color: $text; border-title-style: bold;
        border-subtitle-color: $text-muted;
    }
    Help Markdown { padding: 0; background: transparent; margin: 0; }
    Help .keys { height: auto; layout: grid; grid-size: 2; grid-gutter: 0 3; grid-rows: auto; }
    Help.-narrow .keys { grid-size: 1; }
    Help .keys Container { height: auto; }
    Help Label { text-style: bold; color: $text-accent; }
    Help .group { height: auto; margin-bottom: 1; }
    """
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-wide")]
    BINDINGS = [("escape,question_mark,q,enter", "dismiss", "Close")]

    def __init__(self, title: str, text: str, keys: Keys) -> None:
        super().__init__()
        self._title, self._text, self._keys = title, text, keys

    def compose(self) -> ComposeResult:
        """Words first, then the keys: the mode's own at the left, the others beside them."""
        first, *others = self._keys.items()
        with VerticalScroll() as box:
            box.border_title, box.border_subtitle = self._title, "esc closes"
            if self._text:
                yield Markdown(self._text)
            with Container(classes="keys"):
                for groups in ([first], others):
                    with Container():
                        for heading, lines in groups:
                            yield Label(heading, markup=False)
                            yield Static(_table(lines), classes="group")


def _table(lines: Mapping[str, str]) -> Table:
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(min_width=8)
    table.add_column()
    for keys, said in lines.items():
        table.add_row(Text(keys, "bold"), Text(said))
    return table


def keys_of(screen: Screen[object]) -> Keys:
    """By heading the keys that work now, each action's together, with what they do.

    A heading is the title of the class that made the binding: of the mode, of what it shares with
    other modes, of the app. Keys that scroll or edit, as everywhere, are left out.
    """
    found: dict[str, dict[tuple[str, str], list[str]]] = {title_of(screen): {}}
    for node, binding, _, _ in screen.active_bindings.values():
        heading, said = _heading(screen, node, binding), _said(binding)
        if heading and said and binding.action != "app.help":
            lines = found.setdefault(heading, {})
            lines.setdefault((binding.action, said), []).append(screen.app.get_key_display(binding))
    order = [*(heading for heading in found if heading not in LAST), *LAST]
    return {
        heading: {" ".join(keys): said for (_, said), keys in found[heading].items()}
        for heading in order
        if found.get(heading)
    }


def title_of(screen: Screen[object]) -> str:
    """Of the mode."""
    return str(screen.BINDING_GROUP_TITLE or screen.app.title)


def _said(binding: Binding) -> str:
    name, more = binding.description, binding.tooltip
    name = name.capitalize() if name.isascii() else name  # δ is no Δ
    return f"{name}: {more[0].lower()}{more[1:]}" if more else name


def _heading(screen: Screen[object], node: DOMNode, binding: Binding) -> str:
    if node is screen.app:
        return "" if binding.system else EVERYWHERE
    maker = next((kind for kind in _makers(node) if binding.action in _actions(kind)), None)
    if maker is None or not maker.__module__.startswith("tui_nn."):
        return ""
    if node is not screen:
        return HERE
    return str(vars(maker).get("BINDING_GROUP_TITLE") or title_of(screen))


def _makers(node: DOMNode) -> Iterator[type]:
    """Classes of the node that bind keys, the most general one first."""
    return (kind for kind in reversed(type(node).__mro__) if "BINDINGS" in vars(kind))


def _actions(kind: type) -> set[str]:
    return {binding.action for binding in Binding.make_bindings(vars(kind)["BINDINGS"])}
