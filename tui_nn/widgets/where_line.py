"""Where in an update a person is, and what is looked at: a line of words to click on."""

from textual.content import Content
from textual.style import Style

from tui_nn.widgets.moment import Moment


def where_line(moment: Moment, *, follows: bool) -> Content:
    """Operation, phase, layer, unit, sample, and how things are written; each can be changed."""
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
    for action, name, rest in choices:
        before, after = (link(sign, f"{action}({step})") for sign, step in (("◂", -1), ("▸", 1)))
        parts += ["  ", before, " ", (name, "bold"), rest, " ", after]
        if action == "layer":  # where there is little room, too: it says whether n changes it
            parts += [" ", link("follows" if follows else "held", "follow")]
    parts += ["  ", link(moment.error_name(view.layer), "sign")]
    parts += ["  ", link("paper names" if moment.paper else "code names", "names"), "  "]
    parts += [link("◂", "digits(-1)"), f" {moment.digits} digits ", link("▸", "digits(1)")]
    if view.through is not None:
        parts += ["  ", link("unrolled" if moment.unrolled else "one time step", "unroll")]
    parts += ["  ", link("largest first" if moment.largest_first else "in order", "order")]
    return Content.assemble(*parts)


def link(text: str, action: str, *, here: bool = False) -> Content:
    """Text that does something when clicked; `here`: where one is already."""
    style = Style(bold=here, reverse=here) + Style.from_meta({"@click": f"screen.{action}"})
    return Content.styled(text, style)
