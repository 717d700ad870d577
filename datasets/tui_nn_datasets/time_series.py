"""A real time series, cut into windows: what comes next?"""

from pathlib import Path

import numpy as np

from tui_nn_datasets.dataset import DataError, Dataset, Entry
from tui_nn_datasets.sequences import forecasts, steps_ahead

_FOLDER = Path(__file__).parent / "data"

CO2 = Entry(
    name="co2",
    kind="sequences",
    task="regression",
    shape=(24, 1),
    samples=501,
    classes=0,
    dtype="float64",
    source="Keeling and Whorf, Atmospheric CO2 from Mauna Loa, 1958-2001, CDIAC (2004)",
    licence="public domain, as statsmodels notes",
    description="Carbon dioxide in the air of Mauna Loa, month by month: a trend and the seasons",
)


def co2(
    *, window: int = 24, horizon: int = 1, differences: bool = True, targets: str = "last"
) -> Dataset:
    """Return every window of the months, in their order, and what follows it.

    Args:
        window: the months that are seen.
        horizon: how many months are to be told, one output each.
        differences: the change from month to month, in ppm, in place of the level: without the
            trend, later years look like earlier ones.
        targets: "last": what follows the window; "every": what follows each of its months.
    """
    values = monthly()
    name = "ppm"
    if differences:
        values, name = np.diff(values), "change in ppm"
    if window + horizon > len(values):
        raise DataError(
            f"co2: window and horizon of {window} + {horizon} months are more than the "
            f"{len(values)} there are; make them smaller"
        )
    windows = np.lib.stride_tricks.sliding_window_view(values, window + horizon)
    x, y = forecasts(windows, window, horizon, every=targets == "every")
    shared = horizon - 1 + (window - 1 if targets == "every" else 0)
    return CO2.dataset(
        x,
        y,
        input_names=(name,),
        target_names=steps_ahead(horizon),
        in_order=True,
        shared_targets=shared,
    )


def monthly() -> np.ndarray:
    """Return carbon dioxide in ppm, float64 (526,), from March 1958 on."""
    path = _FOLDER / "co2.csv"
    try:
        return np.loadtxt(path, delimiter=",", skiprows=1, usecols=1)
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: damaged ({error}); install tui-nn again") from error
