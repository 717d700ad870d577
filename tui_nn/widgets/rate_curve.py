"""How the learning rate will go, drawn before training."""

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Static

from tui_nn.history import History
from tui_nn.widgets.curve import Curve, Series, SeriesStyle
from tui_nn_engine.experiments.forecast import Forecast

UNKNOWN = "The rate is drawn here as soon as the experiment can be read."
LOG_FROM = 20.0  # times the lowest rate: from here on a linear axis shows the low ones as nothing


class RateCurve(Vertical):
    """The rate over the updates of the run, and in words what the picture can't say."""

    DEFAULT_CSS = """
    RateCurve { height: 1fr; }
    RateCurve Static { height: auto; color: $text-muted; }
    """

    def compose(self) -> ComposeResult:
        """Curve above, words below."""
        yield Curve([], title="Rate", x_label="update", empty=UNKNOWN)
        yield Static(markup=False)

    def show(self, forecast: Forecast | None) -> None:
        """Draw it; None: nothing is known."""
        curve, words = self.query_one(Curve), self.query_one(Static)
        words.display = forecast is not None and bool(forecast.falling)
        if forecast is None:
            curve.series = []
        else:
            curve.series = _series(forecast)
            low, high = forecast.rates.min(), forecast.rates.max()
            if len(forecast.example):
                low = min(low, forecast.example.min())
            curve.log_scale = bool(forecast.factors and 0 < LOG_FROM * low < high)
            words.update(
                f"It waits for the loss; in the example that falls to epoch {forecast.falling}."
            )
        curve.data_changed()


def _series(forecast: Forecast) -> list[Series]:
    rate = History()
    rate.add(forecast.updates, forecast.rates)
    if not len(forecast.example):
        return [Series("rate", rate)]
    example = History()
    example.add(forecast.updates, forecast.example)
    return [
        Series("while the loss falls", rate),
        Series("example", example, SeriesStyle("warning", "●", smoothed=False)),
    ]
