"""Why a number is what it is: the formula, the formula with numbers, the result, a sentence."""

from rich.style import Style
from rich.text import Text
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.widgets import Static

from tui_nn.widgets.derivation import derivation
from tui_nn.widgets.figures import figure
from tui_nn.widgets.moment import Moment
from tui_nn.widgets.time_shares import sums_over_time, time_shares
from tui_nn_engine.formulas.explanation import Explanation

SHORTEST_TEXT = 12


class ExplanationPane(VerticalScroll):
    """One element of one operation, as a derivation on paper."""

    DEFAULT_CSS = """
    ExplanationPane {
        scrollbar-size-vertical: 1;
        & > Static { height: auto; }
    }
    """

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002  Textual's own name
        super().__init__(id=id)
        self._moment: Moment | None = None
        self._shown: Explanation | None = None
        self._text = Text()

    def compose(self) -> ComposeResult:
        """The text."""
        yield Static()

    @property
    def plain(self) -> str:
        """All of it as text."""
        return self._text.plain

    def show(self, moment: Moment) -> None:
        """Show what the engine says of the operation looked at."""
        other = moment.view.explanation
        if self._shown is None or other is None or other.title != self._shown.title:
            self.scroll_home(animate=False, immediate=True)
        self._moment, self._shown = moment, other
        self._draw()

    def on_resize(self) -> None:
        """Wrap the lines anew."""
        self._draw()

    def notify_style_update(self) -> None:
        """Colours may have changed: draw anew."""
        super().notify_style_update()
        if self.is_mounted:
            self._draw()

    def _draw(self) -> None:
        width = self.scrollable_content_region.width - 1
        if self._moment is None or width < SHORTEST_TEXT:
            return
        self.border_title = heading(self._moment)
        self._text = explained(self._moment, width, self.app.theme_variables)
        self.query_one(Static).update(self._text)


def heading(moment: Moment) -> str:
    """Which operation is explained."""
    place = moment.explained
    names = moment.listing.names
    return f"{place + 1}/{len(names)} {names[place]}" if place < len(names) else ""


def explained(moment: Moment, width: int, theme: dict[str, str]) -> Text:
    """The whole explanation, wrapped into `width` cells."""
    explanation = moment.view.explanation
    if explanation is None:
        return Text("No explanation yet.", "dim")
    done = explanation.operation < moment.view.cursor
    fresh = explanation.operation == moment.view.cursor - 1
    colour = theme["text-accent" if fresh else "text-primary"]
    name, _, what = explanation.title.partition(": ")
    text = Text().append(name, f"bold {theme['text-secondary']}")
    if done and explanation.lines:
        text.append(" = ").append(explanation.lines[-1].result, f"bold {colour}")
    text.append(f"  {what}\n\n", theme["text-secondary"])
    if sums_over_time(moment):
        text.append_text(time_shares(moment, width, theme)).append("\n")
    styles = (f"{theme['foreground']} dim", "", f"bold {colour}")
    text.append_text(derivation(explanation.lines, width, styles))
    text.append("\n")
    if not done:
        text.append(f"{waiting(moment)}\n", f"italic {theme['text-primary']}")
    text.append(f"\n{explanation.sentence}\n")
    text.append_text(_shares(moment, explanation, width, theme))
    text.rstrip()
    return text


def waiting(moment: Moment) -> str:
    """What is to be pressed for a number that is not computed yet."""
    ahead = moment.explained - moment.view.cursor
    if ahead <= 0:
        return "· not computed yet: n computes it"
    return f"· not computed yet: {ahead + 1} operations ahead, enter in the program goes there"


def _shares(moment: Moment, explanation: Explanation, width: int, theme: dict[str, str]) -> Text:
    """What each sample put in, and their mean."""
    text = Text()
    if not explanation.shares:
        return text
    shown, total = len(explanation.shares), explanation.samples
    which = f"the {shown} largest of {total:,} samples" if shown < total else "each sample"
    text.append(f"\nwhat {which} put in\n", f"bold {theme['text-secondary']}")
    result = explanation.lines[-1].result if explanation.lines else ""
    labels = [f"{share.sample + 1}" for share in explanation.shares]
    values = [figure(share.value, moment.notation.digits) for share in explanation.shares]
    wide = max(map(len, [*labels, "mean"]))
    right = max(map(len, [*values, result]))
    middle = max(width - wide - right - 3, 0)
    for share, label, value in zip(explanation.shares, labels, values, strict=True):
        mark = "›" if share.sample == moment.view.sample else " "
        click = Style(meta={"@click": f"screen.show_sample({share.sample})"})
        body = Text(share.text, no_wrap=True)
        body.truncate(middle, overflow="ellipsis", pad=True)
        text.append(f"{mark}{label:>{wide}}", click).append(" ")
        text.append_text(body).append(f" {value:>{right}}\n")
    text.append(f" {'mean':<{wide}} {'':<{middle}} {result:>{right}}", "bold")
    return text
