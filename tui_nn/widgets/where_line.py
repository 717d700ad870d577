"""Where in an update a person is, and what is looked at: a line of words to click on."""

from textual.content import Content
from textual.style import Style
from textual.widgets import Static

from tui_nn.widgets.moment import Moment

FORMS = [(2, 1, True), (1, 1, True), (1, 0, True), (1, 1, False), (1, 0, False)]
"""Spaces between the parts, spaces within them, "of how many": the roomiest that fits is taken."""


class WhereLine(Static):
    """As much of the line as there is room for: first what is looked at, then how it is written."""

    DEFAULT_CSS = "WhereLine { height: 1; padding: 0 1; text-wrap: nowrap; }"

    _moment: Moment | None = None
    _follows = False

    def show(self, moment: Moment, *, follows: bool) -> None:
        """Show this moment; `follows`: the layer is chosen anew with each operation."""
        self._moment, self._follows = moment, follows
        self._draw()

    def on_resize(self) -> None:
        """Leave out what there is no room for."""
        self._draw()

    def _draw(self) -> None:
        width = self.size.width
        if self._moment is None:
            return
        for form in FORMS:
            line = _looked_at(self._moment, self._follows, *form)
            if line.cell_length <= width:
                break
        for part in _written(self._moment):
            if line.cell_length + 2 + part.cell_length <= width:
                line = Content.assemble(line, "  ", part)
        self.update(line, layout=False)  # it keeps its size: laying out anew is dear


def _looked_at(moment: Moment, follows: bool, between: int, within: int, counts: bool) -> Content:
    """Operation, phase, layer, time step, unit, gate, sample; each can be changed."""
    view, listing = moment.view, moment.listing
    phase = [*listing.phases, "complete"][view.cursor]
    count = len(view.units[view.layer])
    of = f" ({view.unit + 1}/{count:,})" if moment.paper else f" of {count:,}"
    choices = [("phase", phase, ""), ("layer", view.layer, "")]
    if view.times:
        choices.append(("time", f"t={view.time}", f" of {view.times}"))
    choices.append(("unit", moment.unit_name, of))
    if moment.gate:
        choices.append(("gate", f"gate {moment.gate}", ""))
    choices.append(("sample", f"sample {view.sample + 1}", f" of {view.batch}"))
    parts: list[str | Content | tuple[str, str]] = [f"op {view.cursor}/{len(listing.names)}"]
    gap, air = " " * between, " " * within
    for action, name, rest in choices:
        before, after = (link(sign, f"{action}({step})") for sign, step in (("◂", -1), ("▸", 1)))
        parts += [gap, before, air, (name, "bold"), rest if counts else "", air, after]
        if action == "layer":  # where there is little room, too: it says whether n changes it
            parts += [" ", link("follows" if follows else "held", "follow")]
    return Content.assemble(*parts)


def _written(moment: Moment) -> list[Content]:
    """How things are written, most important first; each can be changed."""
    fewer, more = link("◂", "digits(-1)"), link("▸", "digits(1)")
    parts = [
        link(moment.error_name(moment.view.layer), "sign"),
        link("paper names" if moment.paper else "code names", "names"),
        Content.assemble(fewer, f" {moment.digits} digits ", more),
    ]
    if moment.view.through is not None:
        parts.append(link("unrolled" if moment.unrolled else "one time step", "unroll"))
    return [*parts, link("largest first" if moment.largest_first else "in order", "order")]


def link(text: str, action: str, *, here: bool = False) -> Content:
    """Text that does something when clicked; `here`: where one is already."""
    style = Style(bold=here, reverse=here) + Style.from_meta({"@click": f"screen.{action}"})
    return Content.styled(text, style)
