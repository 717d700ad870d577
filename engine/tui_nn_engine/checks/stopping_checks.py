"""Whether the figure that decides when to stop is one that this data gives."""

from collections.abc import Iterator

from tui_nn_engine.checks.mending import Misfit, mended
from tui_nn_engine.data.prepared import PreparedData
from tui_nn_engine.experiments.experiment import Experiment
from tui_nn_engine.metrics import metrics_for


def stopping_misfits(experiment: Experiment, data: PreparedData) -> Iterator[Misfit]:
    """A monitor that there is not."""
    monitor = experiment.stopping.monitor
    if monitor is None:
        return
    names = ("loss", *metrics_for(data, experiment.loss))
    plain = monitor.removeprefix("val_")
    if plain not in names:
        yield Misfit(
            "stopping.monitor",
            f"the targets of {data.dataset.name!r} give no {plain}, but {', '.join(names)}",
            "monitor the loss",
            mended(experiment, {"stopping.monitor": monitor.replace(plain, "loss")}),
        )
    elif monitor != plain and not len(data.validation):
        yield Misfit(
            "stopping.monitor",
            f"there is no {monitor}, for no data is set aside for validation",
            f"monitor {plain}",
            mended(experiment, {"stopping.monitor": plain}),
        )
