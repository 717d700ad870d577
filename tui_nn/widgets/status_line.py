"""The line at the top of every mode: what is trained, how far it is, how fast it goes."""

from textual.widgets import Static


class StatusLine(Static):
    """State, data and network, counters, rate, speed, times and progress in one line."""

    DEFAULT_CSS = "StatusLine { height: 1; background: $panel; padding: 0 1; }"
