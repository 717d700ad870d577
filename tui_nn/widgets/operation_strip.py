"""Two lines: the operation that comes next, and the one just done."""

from rich.text import Text
from textual.widgets import Static

from tui_nn.widgets.moment import Moment
from tui_nn.widgets.operation_tree import DONE, END, NEXT


class OperationStrip(Static):
    """Name, formula, inputs → output and shape of both."""

    DEFAULT_CSS = """
    OperationStrip { height: 2; padding: 0 1; text-wrap: nowrap; text-overflow: ellipsis; }
    """

    def show(self, moment: Moment) -> None:
        """Show where the update is."""
        listing, cursor = moment.listing, moment.view.cursor
        theme = self.app.theme_variables
        lines = Text(no_wrap=True, overflow="ellipsis")
        if cursor < len(listing.names):
            lines.append(f"{NEXT} next (n)  ", f"bold {theme['text-primary']}")
            lines.append_text(_said(moment, cursor))
        else:
            lines.append(f"{NEXT} {END} (n)  ", f"bold {theme['text-primary']}")
            lines.append("all new weights are in place; n opens the next update")
        lines.append("\n")
        if cursor:
            lines.append(f"{DONE} done (b)  ", f"bold {theme['text-accent']}")
            lines.append_text(_said(moment, cursor - 1))
        else:
            lines.append(
                "n does the next operation, b takes it back; the numbers appear below", "dim"
            )
        self.update(lines, layout=False)


def _said(moment: Moment, index: int) -> Text:
    listing = moment.listing
    text = Text(f"{listing.names[index]}  ", "bold")
    text.append(moment.formulas[index], "italic not bold")
    arrow = f"   {listing.inputs[index]} → {listing.outputs[index]} ({listing.shapes[index]})"
    return text.append(arrow, "not bold dim")
