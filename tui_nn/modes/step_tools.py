"""What Step mode can do with what is on screen: watch, stop, compare, copy, write down."""

from typing import ClassVar

from textual import work
from textual.binding import Binding, BindingType
from textual.content import Content

from tui_nn.modes.transport import Send, Transport
from tui_nn.monitor import Monitor
from tui_nn.widgets.dialogs import Ask, parse_finite
from tui_nn.widgets.moment import OLD, Moment
from tui_nn.widgets.step_dialogs import Breakpoints, GradientComparison, WatchList, WriteDown
from tui_nn_engine.sessions import protocol

TOOLS = (
    ("w", "watch", "watch"),
    ("W", "watch_list", "list"),
    ("v", "set_weight", "change w"),
    ("k", "breakpoints", "stop when"),
    ("c", "compare", "check ∂E/∂w"),
    ("y", "copy", "copy"),
    ("X", "export", "export"),
)
LEGEND = "· not computed yet  ▸ just written"


def tool(key: str, action: str, name: str, tooltip: str, display: str | None = None) -> Binding:
    """A key that the help and the palette tell of, not the line at the bottom."""
    return Binding(
        key, action, name, show=False, priority=True, tooltip=tooltip, key_display=display
    )


class StepTools(Transport):
    """Keys on the moment shown. Subclasses keep it in `moment` and say it in `text_on_screen`."""

    BINDING_GROUP_TITLE = "Tools"
    BINDINGS: ClassVar[list[BindingType]] = [
        tool("w", "watch", "watch", "Follow the chosen weight over time, or no longer"),
        tool("W", "watch_list", "watch list", "The watched weights and their curves", "W"),
        tool("v", "set_weight", "change weight", "By hand, before the next update is made"),
        tool("k", "breakpoints", "stop when", "Conditions at which training stops"),
        tool("c", "compare", "check gradient", "The chosen weight's beside the numerical one"),
        tool("y", "copy", "copy", "What is on screen, as text"),
        tool("X", "export", "export", "The whole update: Markdown, CSV, JSON or text", "X"),
    ]

    def __init__(self, monitor: Monitor, send: Send) -> None:
        super().__init__(monitor, send)
        self.moment: Moment | None = None
        self._told: list[object] = [monitor.gradient, monitor.stopped, monitor.exported]

    def text_on_screen(self) -> str:
        """What the panes show, as text."""
        raise NotImplementedError

    def show_answers(self) -> None:
        """Show what came of a tool: a gradient compared, a stop, a file."""
        monitor = self.monitor
        gradient, stopped, exported = before = (
            monitor.gradient,
            monitor.stopped,
            monitor.exported,
        )
        new = [now is not old for now, old in zip(before, self._told, strict=True)]
        self._told = list(before)
        if gradient is not None and new[0]:
            digits = self.moment.digits if self.moment else 6
            self.app.push_screen(GradientComparison(gradient, digits))
        if stopped is not None and new[1]:
            self.notify(stopped.reason, title="Stopped", timeout=8)
        if exported is not None and new[2]:
            self.notify(exported.path, title="The update is written down", timeout=8)

    def action_watch(self) -> None:
        """Watch the chosen weight, or no longer."""
        name = self.moment.weight_name if self.moment else ""
        if not name:
            self.notify("This layer has no weights to watch.", severity="warning")
            return
        watched = tuple(self.monitor.watched)
        if name in watched:
            self.send(protocol.Watch(tuple(other for other in watched if other != name)))
            self.notify(f"{name} is no longer watched", markup=False, timeout=3)
        else:
            self.send(protocol.Watch((*watched, name)))
            self.notify(f"{name} is watched: W shows its curve", markup=False, timeout=3)

    def action_watch_list(self) -> None:
        """The watched weights over time."""
        self.app.push_screen(WatchList(self.monitor, self.send))

    @work
    async def action_set_weight(self) -> None:
        """Ask for a value of the chosen weight; in the past that begins a branch."""
        moment = self.moment
        if moment is None or not moment.weight_name:
            self.notify("This layer has no weights to change.", severity="warning")
            return
        name, row = moment.weight_name, min(moment.view.source, len(moment.view.weights) - 1)
        now = float(moment.view.weights[row, OLD])
        hint = "From this update on. Where the run has gone farther already, it branches here."
        value = await self.app.push_screen_wait(
            Ask(f"{moment.weight_label(row)}, {name}", repr(now), parse_finite, hint)
        )
        if value is not None and value != now:
            self.send(protocol.SetWeight(name, value))

    def action_breakpoints(self) -> None:
        """Where training stops."""
        self.app.push_screen(Breakpoints(self.monitor, self.send))

    def action_compare(self) -> None:
        """Compare the chosen weight's gradient with the numerical one."""
        name = self.moment.weight_name if self.moment else ""
        if name:
            self.send(protocol.CheckGradient(name))
        else:
            self.notify("This layer has no weights to check.", severity="warning")

    def action_copy(self) -> None:
        """Put what is on screen on the clipboard."""
        if self.moment is None:
            return
        text = self.text_on_screen()
        self.app.copy_to_clipboard(text)
        lines = text.count("\n") + 1
        self.notify(f"{lines} lines are on the clipboard: explanation and tables", timeout=3)

    @work
    async def action_export(self) -> None:
        """Write the whole update into a file."""
        if self.moment is None:
            return
        wanted = await self.app.push_screen_wait(WriteDown(self.moment.view.iteration))
        if wanted is not None:
            self.send(wanted)


def tool_line() -> Content:
    """The tools as words to click on, each after its key."""
    parts: list[str | Content] = []
    for key, action, name in TOOLS:
        meta = f"[@click=screen.{action}][b]{key}[/b] {name}[/]"
        parts += [Content.from_markup(meta), "  "]
    return Content.assemble(*parts)
