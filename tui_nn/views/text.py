"""What the network writes, while it learns to."""

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.widgets import Static

from tui_nn.views.view import View
from tui_nn_engine.inspection.subject import Subject
from tui_nn_engine.inspection.writing import Writing
from tui_nn_engine.sessions import protocol

TEMPERATURES = (0.0, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0)
USUAL = TEMPERATURES.index(1.0)


class Written(View):
    """Text of the network's own, drawn symbol by symbol from what it says."""

    label = "Text"
    BINDINGS = [
        Binding(
            "right", "warm(1)", "Temperature", key_display="←→", tooltip="More daring, or less"
        ),
        Binding("left", "warm(-1)", "Cooler", show=False),
        Binding("d", "draw", "Draw", tooltip="Draw other samples"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._at = USUAL
        self._seed = 0

    @staticmethod
    def suits(subject: Subject) -> bool:
        """Text."""
        return subject.is_text

    def compose(self) -> ComposeResult:
        """How it is drawn above, the text below."""
        yield Static(id="drawn")
        with VerticalScroll(can_focus=False):
            yield Static(id="written")

    def begin(self, subject: Subject) -> None:
        """Nothing is written yet."""
        self.subject = subject
        self.query_one("#written", Static).update("")

    def request(self) -> protocol.Inspect:
        """Text at this temperature."""
        temperature = TEMPERATURES[self._at]
        return protocol.Inspect("writing", temperature=temperature, seed=self._seed)

    def show(self, sight: object) -> None:
        """The newest text."""
        if not isinstance(sight, Writing):
            return
        how = Text(f"temperature {sight.temperature:g}", style="bold")
        how.append(f"  {_said(sight.temperature)}", style="not bold")
        if not sight.iteration:
            how.append("  (not trained yet: only chance; space trains)", style="not bold")
        self.query_one("#drawn", Static).update(how)
        self.query_one("#written", Static).update(Text("\n".join(sight.texts)))

    def action_warm(self, direction: int) -> None:
        """The next temperature, or the one before."""
        self._at = min(max(self._at + direction, 0), len(TEMPERATURES) - 1)
        self.want()

    def action_draw(self) -> None:
        """Other draws."""
        self._seed += 1
        self.want()


def _said(temperature: float) -> str:
    if temperature == 0:
        return "the likeliest symbol, always"
    if temperature < 1:
        return "the likely, more often than the network says"
    return "as often as the network says" if temperature == 1 else "the unlikely, too"
