"""How the gradient of a weight is the sum over time: what each time step put into it."""

import numpy as np
from rich.style import Style
from rich.text import Text

from tui_nn.widgets.figures import aligned
from tui_nn.widgets.moment import WEIGHTS, Moment
from tui_nn.widgets.time_table import CUT

SHOWN = 8  # time steps, of more


def sums_over_time(moment: Moment) -> bool:
    """Whether what is explained is a gradient of the chosen layer, all time steps together."""
    listing, at = moment.listing, moment.explained
    whole = listing.paths[at] == moment.view.layer and listing.phases[at] == "backward"
    return whole and any(f".{part}" in listing.outputs[at] for part in WEIGHTS)


def time_shares(moment: Moment, width: int, theme: dict[str, str]) -> Text:
    """The chosen weight's, largest first, and the sum; nothing before the backward pass."""
    view, through, text = moment.view, moment.view.through, Text()
    if through is None or not np.isfinite(through.shares).any():
        return text
    known = np.flatnonzero(np.isfinite(through.shares))
    shares = through.shares[known]
    order = np.argsort(-np.abs(shares), kind="stable")[:SHOWN]
    total, all_known = float(shares.sum()), len(known) == len(through.shares)
    few = len(order) < len(known)
    which = f"the largest {len(order)} of {len(known)}" if few else "largest first"
    name = f"∂E/∂{moment.weight_label(view.source)}"
    text.append(f"what time steps put into {name}: {which}\n")
    text.stylize(theme["text-secondary"])
    figures = aligned([*shares[order].tolist(), total], moment.digits)
    wide = max(len(f"t={len(through.shares)}"), len("sum"))
    right = max(map(len, figures))
    room = max(width - wide - right - 3, 0)
    largest = float(np.abs(shares).max()) or 1.0
    for place, figure in zip(order.tolist(), figures, strict=False):
        time = int(known[place]) + 1
        mark = "›" if time == view.time else " "
        click = Style(meta={"@click": f"screen.show_time({time})"})
        bar = "▄" * round(abs(float(shares[place])) / largest * room)
        text.append(f"{mark}{f't={time}':<{wide}}", click).append(f" {figure:>{right}} ")
        text.append(f"{bar}\n", theme["text-primary"])
    label = "sum" if all_known else "so far"
    text.append(f" {label:<{wide}} {figures[-1]:>{right}}\n", "bold")
    if through.cuts:
        starts = ", ".join(map(str, through.cuts[:SHOWN]))
        more = f" and {len(through.cuts) - SHOWN} more" if len(through.cuts) > SHOWN else ""
        text.append(f"{CUT} no error goes back past t={starts}{more}: truncated.\n", "italic")
    return text
