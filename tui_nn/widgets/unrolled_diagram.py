"""A recurrent layer unrolled: its time steps side by side, as many as fit around the chosen one."""

from typing import ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray
from rich.style import Style
from textual import events
from textual.message import Message
from textual.strip import Strip

from tui_nn.widgets.canvas import Canvas
from tui_nn.widgets.diagram import Diagram
from tui_nn.widgets.figures import figure
from tui_nn.widgets.moment import Moment
from tui_nn.widgets.time_table import CUT, PADDED
from tui_nn_engine.stepping.through_time import step_of

Floats = NDArray[np.float64]
ARROW = 3  # cells between two steps
TO_RIGHT, TO_LEFT = "─▶ ", " ◀─"
STATE, ERROR = "state", "error"


class Line(NamedTuple):
    """A row of the picture: `values` at all time steps, of one number of the layer.

    `part` is the slot's ("f", "h", "dE/dh"), `unit` is chosen by a click, or `gate`; `flows`
    tells what goes from step to step, if it does.
    """

    label: str
    values: Floats
    part: str
    unit: int = -1
    gate: int = -1
    flows: str = ""


class UnrolledDiagram(Diagram):
    """The chosen unit's gates, cell, state and errors at each step, the other units', the inputs.

    Forwards the state goes from step to step, on the way back its error. A click chooses the time
    step, and the gate or unit of the row.
    """

    class Chosen(Message):
        """This time step is wanted, and this gate or unit (-1: as it is)."""

        def __init__(self, step: int, gate: int, unit: int) -> None:
            super().__init__()
            self.step, self.gate, self.unit = step, gate, unit

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "unrolled--box",
        "unrolled--here",
        "unrolled--number",
        "unrolled--chosen",
        "unrolled--written",
        "unrolled--heading",
    }
    DEFAULT_CSS = """
    UnrolledDiagram {
        & > .unrolled--box { color: $foreground 40%; }
        & > .unrolled--here { color: $text-primary; text-style: bold; }
        & > .unrolled--chosen { color: $text-primary; text-style: bold; }
        & > .unrolled--written { background: $accent-muted; color: $text-accent; text-style: bold; }
        & > .unrolled--heading { color: $text-secondary; text-style: bold; }
    }
    """

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002  Textual's own name
        super().__init__(id=id)
        self._columns: list[tuple[int, int]] = []
        self._rows: dict[int, Line] = {}

    def on_click(self, event: events.Click) -> None:
        """Choose the time step under the mouse, and what the row is of."""
        offset = event.get_content_offset(self)
        if offset is None:
            return
        row = self._rows.get(offset.y)
        for time, left in reversed(self._columns):
            if left <= offset.x:
                gate, unit = (row.gate, row.unit) if row else (-1, -1)
                self.post_message(self.Chosen(time, gate, unit))
                return

    @property
    def shown(self) -> list[int]:
        """The time steps in the picture."""
        return [time for time, _ in self._columns]

    def _style(self, part: str) -> Style:
        return self.get_component_rich_style(f"unrolled--{part}", partial=part != "number")

    def draw(self, moment: Moment, width: int, height: int) -> list[Strip]:
        """A column a time step, arrows for what goes on to the next."""
        if moment.view.through is None or height < 3:
            return []
        inside, below, more = lines(moment, height - 3)
        labels = max(len(line.label) for line in (*inside, *below))
        self._rows = dict(enumerate(inside, 2))
        self._rows |= dict(enumerate(below, 3 + len(inside)))
        digits = moment.digits
        cells = {
            y: [figure(value, digits) for value in line.values.tolist()]
            for y, line in self._rows.items()
        }
        wide = max(max(map(len, texts)) for texts in cells.values())
        wide = max(wide, len(f"▶ t={moment.view.times} {PADDED}") - 2)
        count = max((width - labels - 1 + ARROW) // (wide + 2 + ARROW), 1)
        times = _window(moment.view.time, moment.view.times, count)
        left = labels + 1
        self._columns = [
            (time, left + place * (wide + 2 + ARROW)) for place, time in enumerate(times)
        ]
        canvas = Canvas(width, height)
        for y, line in self._rows.items():
            chosen = line.gate == moment.view.gate >= 0 or line.unit == moment.view.unit
            canvas.write(0, y, line.label, self._style("chosen" if chosen else "heading"))
        for time, at in self._columns:
            self._draw_step(canvas, moment, time, at, wide, len(inside))
            for y, line in self._rows.items():
                written = _just_wrote(moment, line, time)
                style = "written" if written else "here" if time == moment.view.time else "number"
                canvas.write(at + 1, y, f"{cells[y][time - 1]:>{wide}}", self._style(style))
        self._draw_arrows(canvas, moment)
        notes = [f"t={times[0]} to {times[-1]} of {moment.view.times}"]
        notes = notes if len(times) < moment.view.times else []
        notes += [more] if more else []
        if moment.view.through.cuts:
            notes.append(f"{CUT} no error goes back")
        self.border_subtitle = ", ".join(notes)
        return canvas.strips()

    def _draw_step(
        self, canvas: Canvas, moment: Moment, time: int, left: int, wide: int, rows: int
    ) -> None:
        """The frame of one time step, heavy where one looks; ▶ is at work next."""
        through, here = moment.view.through, time == moment.view.time
        assert through is not None  # noqa: S101 - there is a picture
        paths, cursor = moment.listing.paths, moment.view.cursor
        works = cursor < len(paths) and paths[cursor] == f"{through.path}/t={time}"
        padded = f" {PADDED}" if through.padded[time - 1] else ""
        heading = f"{'▶' if works else ' '} t={time}{padded}"
        canvas.write(left, 0, heading, self._style("here" if here else "heading"))
        corners, across, down = (("┏", "┓", "┗", "┛"), "━", "┃") if here else ("╭╮╰╯", "─", "│")
        style = self._style("here" if here else "box")
        canvas.write(left, 1, f"{corners[0]}{across * wide}{corners[1]}", style)
        for y in range(2, 2 + rows):
            canvas.write(left, y, down, style)
            canvas.write(left + wide + 1, y, down, style)
        bottom = f"{corners[2]}{across * wide}{corners[3]}"
        canvas.write(left, 2 + rows, bottom, style)
        if len(self._rows) > rows:
            canvas.write(left + wide // 2 + 1, 2 + rows, "▲", style)

    def _draw_arrows(self, canvas: Canvas, moment: Moment) -> None:
        """Between the steps: the state forwards, its error back, unless it is cut there."""
        through = moment.view.through
        assert through is not None  # noqa: S101 - there is a picture
        for time, left in self._columns[1:]:
            for y, line in self._rows.items():
                if not line.flows:
                    continue
                to_right = (line.flows == STATE) != through.backwards
                known = np.isfinite(line.values[time - 2 if to_right else time - 1])
                into = time - 1 if through.backwards else time
                cut = line.flows == ERROR and into in through.cuts
                arrow = f" {CUT} " if cut else TO_RIGHT if to_right else TO_LEFT
                style = self._style("here" if known else "box")
                canvas.write(left - ARROW, y, arrow, style)


def lines(moment: Moment, room: int) -> tuple[list[Line], list[Line], str]:
    """What stands in the boxes, what comes in below, and what there was no room for."""
    view, through = moment.view, moment.view.through
    assert through is not None  # noqa: S101 - there is a picture
    sign = -1.0 if moment.textbook else 1.0
    minus = "−" if moment.textbook else ""
    name = moment.number(view.layer, view.unit)
    gated = len(through.gates) > 1
    inside = [
        Line(letter, values, letter if gated else "net", gate=at if gated else -1)
        for at, (letter, values) in enumerate(zip(through.gates, through.values.T, strict=True))
    ]
    has_cell = np.isfinite(through.cell).any()
    if has_cell:
        inside.append(Line("c", through.cell[:, 0], "c", flows=STATE))
    states = through.states[:, view.unit]
    inside.append(Line(f"h{name}", states, "h", unit=view.unit, flows=STATE))
    if moment.looks_back:
        if has_cell:
            label, errors = f"{minus}∂c", sign * through.cell[:, 1]
            inside.append(Line(label, errors, "dE/d c", flows=ERROR))
        label, errors = f"{minus}∂h{name}", sign * through.errors[:, view.unit]
        inside.append(Line(label, errors, "dE/d h", unit=view.unit, flows=ERROR))
        label = f"{moment.error_sign}{moment.gate}"
        inside.append(Line(label, sign * through.deltas, "dE/d net"))
    inside = inside[: max(room - 1, 1)]
    features = _features(moment, room - len(inside))
    below = [Line(f"x{moment.number('', at)}", through.x[:, at], "x") for at in features]
    back = moment.looks_back and bool(np.isfinite(through.errors).any())
    others = [at for at in range(through.states.shape[1]) if at != view.unit]
    for at in others[: max(room - len(inside) - len(below), 0)]:
        number, values = moment.number(view.layer, at), through.errors if back else through.states
        label = f"{minus}∂h{number}" if back else f"h{number}"
        part = "dE/d h" if back else "h"
        inside.append(Line(label, (sign if back else 1.0) * values[:, at], part, unit=at))
    hidden = through.x.shape[1] - len(below)
    units = len(others) - sum(line.unit in others for line in inside)
    missing = [f"{count} more {what}" for count, what in ((hidden, "x"), (units, "units")) if count]
    return inside, below, ", ".join(missing)


def _features(moment: Moment, room: int) -> list[int]:
    """Which inputs are shown: all, or those that are largest at the chosen time step."""
    through = moment.view.through
    assert through is not None  # noqa: S101 - there is a picture
    count = through.x.shape[1]
    if count <= room:
        return list(range(count))
    sizes = np.abs(through.x[moment.view.time - 1])
    return sorted(np.argsort(-sizes, kind="stable")[: max(room, 0)].tolist())


def _window(time: int, times: int, count: int) -> list[int]:
    """So many time steps, the chosen one in the middle if there are more."""
    first = min(max(time - count // 2, 1), max(times - count + 1, 1))
    return list(range(first, min(first + count, times + 1)))


def _just_wrote(moment: Moment, line: Line, time: int) -> bool:
    """Whether the last operation done wrote this number."""
    done, through = moment.view.cursor - 1, moment.view.through
    if done < 0 or through is None:
        return False
    output = moment.listing.outputs[done]
    if " #" in output or output.endswith("⟩"):
        return False
    slot = output.removeprefix("dE/d(").removesuffix(")")
    of, _, part = slot.rpartition(".")
    if step_of(of) != (through.path, time):
        return False
    if output.startswith("dE/d("):
        return line.part == f"dE/d {part}"
    return line.part == part or (part == "gates" and line.gate >= 0)
