"""The lines at the top of every mode: what is trained, how far it is, how fast it goes."""

from rich.text import Text
from textual.widgets import Static

from tui_nn.monitor import Monitor

SIGNS = {
    "starting": "…",
    "ready": "■",
    "running": "▶",
    "travelling": "↔",
    "paused": "‖",
    "stepping": "◆",
    "completed": "✓",
    "diverged": "✗",
    "dead": "✗",
}
COLOURS = {"running": "success", "diverged": "error", "dead": "error", "completed": "primary"}
EIGHTHS = " ▏▎▍▌▋▊▉█"


class RunTitle(Static):
    """What the engine is doing, and with which data and network."""

    DEFAULT_CSS = """
    RunTitle { width: 1fr; height: 1; padding: 0 1; text-wrap: nowrap; text-overflow: ellipsis; }
    """

    def show(self, monitor: Monitor, title: str) -> None:
        """Show the state of the run; `title` is its data and network."""
        colour = self.app.theme_variables.get(COLOURS.get(monitor.state, "foreground"), "")
        line = Text(no_wrap=True, overflow="ellipsis")
        line.append(
            f"{SIGNS[monitor.state]} {monitor.ended_early or monitor.state}", style=f"bold {colour}"
        )
        self.update(line.append(f"  {title}"), layout=False)


class Counters(Static):
    """How far the run is, how fast it goes: as much as there is room for, in order of weight."""

    DEFAULT_CSS = "Counters { height: 1; padding: 0 1; text-wrap: nowrap; background: $panel; }"

    def __init__(self) -> None:
        super().__init__()
        self._monitor: Monitor | None = None

    def show(self, monitor: Monitor) -> None:
        """Show where the run stands."""
        self._monitor = monitor
        self._draw()

    def on_resize(self) -> None:
        """Leave out what there is no room for."""
        self._draw()

    def _draw(self) -> None:
        if self._monitor is None or not self.size.width:
            return
        width = self.size.width
        first, *rest = counters(self._monitor)
        used = first
        for part in rest:
            if len(used) + 2 + len(part) <= width:
                used += "  " + part
        line = Text(used, no_wrap=True, overflow="ellipsis")
        room = min(width - len(used) - 2, 40)
        if room >= 10:
            monitor, colour = self._monitor, self.app.theme_variables["primary"]
            line.append("  ").append_text(bar(monitor.iteration, monitor.total, room, colour))
        self.update(line, layout=False)  # it keeps its size: laying out anew is dear


def counters(monitor: Monitor) -> list[str]:
    """Where the run stands, most important first."""
    if monitor.opened is None:
        starting = monitor.state == "starting"
        return ["starting the engine" if starting else "nothing to train is open yet"]
    batches = monitor.opened.batches_per_epoch
    at_end = monitor.epoch >= monitor.epochs or (monitor.batch == 0 and monitor.iteration > 0)
    epoch = min(monitor.epoch + (0 if at_end else 1), monitor.epochs)
    batch = batches if at_end else monitor.batch
    place = f"iteration {monitor.iteration}/{monitor.total}"
    if monitor.iteration < monitor.tip:
        place = f"iteration {monitor.iteration:,} of {monitor.tip:,} reached"
    if monitor.ended_early:
        place += f": {monitor.ended_early}"
    parts = [
        f"epoch {epoch}/{monitor.epochs}  batch {batch}/{batches}  {place}",
        f"rate {monitor.learning_rate:g}",
    ]
    if monitor.seconds_per_update:
        batch_size = monitor.opened.samples / batches
        parts.append(f"{quantity(batch_size / monitor.seconds_per_update)} samples/s")
    if monitor.iteration:
        parts.append(f"elapsed {duration(monitor.elapsed)}")
    if monitor.busy and monitor.seconds_per_update:
        parts.append(f"ETA {duration(monitor.eta)}")
    return parts


def quantity(value: float) -> str:
    """12,345 or 1.2 M."""
    if value >= 1e6:
        return f"{value / 1e6:.1f} M"
    return f"{value:,.0f}" if value >= 10 else f"{value:.1f}"


def duration(seconds: float) -> str:
    """0:07, 12:34, 1:02:03."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def bar(done: int, total: int, width: int, colour: str) -> Text:
    """A progress bar in eighths of a cell, with its percentage."""
    share = min(done / total, 1.0) if total else 0.0
    cells = max(width - 5, 1)
    eighths = round(share * cells * 8)
    text = "█" * (eighths // 8) + (EIGHTHS[eighths % 8] if eighths % 8 else "")
    drawn = Text(text.ljust(cells, "─"), style=colour)
    return drawn.append(f" {share:4.0%}", style="bold")
