"""What the screen knows of the run, message by message."""

from typing import Any

import numpy as np
import pytest

from tui_nn.link import EngineDied
from tui_nn.monitor import Monitor
from tui_nn_engine.sessions.protocol import (
    Branched,
    BreakpointsSet,
    Exported,
    HealthReport,
    Opened,
    Refused,
    StateChanged,
    Watched,
)
from tui_nn_engine.stepping.gradient_check import GradientChecked
from tui_nn_engine.training.events import Epochs, Progress, RunEnded, Saved, SaveFailed, Stopped

COLUMNS = ("epoch", "iteration", "loss", "accuracy", "val_loss", "val_accuracy")


def epochs(*rows: list[float]) -> Epochs:
    return Epochs(COLUMNS, np.array(rows, np.float64).reshape(len(rows), len(COLUMNS)))


def opened(folder: str = "/a", iteration: int = 0, history: Epochs | None = None) -> Opened:
    place = {"iteration": iteration, "epoch": iteration // 4, "batch": iteration % 4}
    return Opened(
        {},
        folder,
        ("dense_1",),
        ("1",),
        (3,),
        **place,
        batches_per_epoch=4,
        samples=30,
        threads=1,
        history=history or Epochs(),
    )


def state(
    name: Any, iteration: int = 0, rate: float = 0.1, until: int = 10, tip: int = 0
) -> StateChanged:
    tip = max(tip, iteration)
    return StateChanged(name, iteration, iteration // 4, iteration % 4, until, rate, tip)


def progress(first: int, losses: list[float], ended: Epochs | None = None) -> Progress:
    last = first + len(losses) - 1
    return Progress(
        last, last // 4 + 1, last % 4, first, np.array(losses), ended or Epochs(), 0.1, 0.5
    )


def told(*messages: Any) -> Monitor:
    monitor = Monitor()
    for message in messages:
        monitor.hear(message)
    return monitor


def lines(monitor: Monitor) -> list[str]:
    return [entry.text for entry in monitor.log]


def test_progress_moves_counters_and_curves() -> None:
    monitor = told(
        opened(),
        state("ready"),
        state("running"),
        progress(1, [3.0, 2.0]),
        progress(3, [1.5, 1.0, 0.5], epochs([1, 4, 1.9, 0.5, 1.8, 0.6])),
    )
    assert (monitor.iteration, monitor.epoch, monitor.batch, monitor.total) == (5, 1, 1, 40)
    assert (monitor.loss.first, monitor.loss.last) == (1, 5)
    assert set(monitor.figures) == {"loss", "accuracy", "val_loss", "val_accuracy"}
    assert monitor.metric == "accuracy"
    value = monitor.figures["val_accuracy"].at(4)
    assert value is not None
    assert value.mean == 0.6
    assert monitor.elapsed == 1.0
    assert monitor.busy
    assert monitor.eta == pytest.approx(35 * monitor.seconds_per_update)


def test_another_run_begins_empty() -> None:
    monitor = told(opened(), state("running"), progress(1, [1.0] * 4, epochs([1, 4] + [0.5] * 4)))
    monitor.hear(opened("/b"))
    assert not len(monitor.loss)
    assert monitor.figures == {}
    assert (monitor.iteration, monitor.elapsed, monitor.health) == (0, 0.0, None)
    assert lines(monitor)[-1] == "back at the start"


def test_the_same_run_resumed_forgets_what_will_be_trained_again() -> None:
    monitor = told(
        opened(),
        state("running"),
        progress(1, [1.0] * 8, epochs([1, 4] + [0.5] * 4, [2, 8] + [0.4] * 4)),
    )
    monitor.hear(EngineDied(-9))
    assert monitor.state == "dead"
    assert lines(monitor)[-1] == "the engine process ended (killed by signal 9)"
    monitor.hear(opened("/a", 5))
    monitor.hear(state("paused", 5))
    assert monitor.loss.last == 5
    assert monitor.figures["loss"].last is not None
    assert monitor.figures["loss"].last <= 5
    monitor.hear(progress(6, [0.3, 0.2, 0.1], epochs([2, 8] + [0.4] * 4)))
    assert monitor.loss.last == 8


def test_a_resumed_run_shows_its_epochs_in_every_curve() -> None:
    monitor = told(opened("/a", 8, epochs([1, 4, 1.5, 0.5, 1.4, 0.6], [2, 8, 1.2, 0.7, 1.1, 0.8])))
    assert monitor.loss.last == 8
    first = monitor.loss.at(4)
    assert first is not None
    assert first.mean == 1.5
    assert monitor.figures["val_accuracy"].last == 8
    assert monitor.saved_iteration == 8
    monitor.hear(progress(9, [1.0]))
    assert monitor.loss.last == 9


def test_the_log_says_what_matters() -> None:
    monitor = told(
        opened(),
        state("ready"),
        state("running"),
        progress(1, [1.0] * 3),
        state("running", 3, rate=0.5),
        state("running", 3, rate=0.5, until=12),
        Saved("/a/last", 3),
        state("paused", 3, rate=0.5, until=12),
        Saved("/a/last", 3),
        SaveFailed("/a/last", "No space left on device"),
        Refused("no"),
        state("running", 3, rate=0.5, until=12),
        RunEnded("diverged", 1, 3, "update 4 is not finite"),
    )
    assert lines(monitor) == [
        "training starts",
        "learning rate 0.5 from iteration 3",
        "trains until epoch 12",
        "paused",
        "saved at iteration 3",
        "could not save /a/last: No space left on device",
        "no",
        "training goes on",
        "update 4 is not finite",
    ]
    severities = [entry.severity for entry in monitor.log]
    assert severities[5:] == ["warning", "warning", "information", "error"]
    assert monitor.logged == len(monitor.log)


def test_the_end_tells_the_figures_on_test_data() -> None:
    ended = RunEnded("completed", 3, 12, test_loss=0.25, test_metrics={"accuracy": 0.9})
    monitor = told(opened(), state("running"), ended, state("completed", 12))
    assert monitor.test == {"loss": 0.25, "accuracy": 0.9}
    assert "on the test data: loss 0.2500  accuracy 0.9000" in lines(monitor)[-1]


def test_losses_that_are_not_finite_and_health_are_taken_as_they_come() -> None:
    monitor = told(opened(), progress(1, [1.0, np.inf, np.nan, 2.0]))
    assert monitor.loss.last == 4
    table = np.full((1, 7), np.nan)
    monitor.hear(HealthReport(4, table))
    assert monitor.health is table


def test_a_refused_first_experiment_ends_the_starting() -> None:
    assert told(Refused("this folder holds no checkpoint")).state == "ready"


# -- what is looked out for -----------------------------------------------------------------------

W, B = "dense_1.kernel[0, 0]", "dense_1.bias[0]"


def watched(first: int, *rows: list[float], names: tuple[str, ...] = (W, B)) -> Watched:
    return Watched(names, first, np.array(rows, np.float64).reshape(len(rows), len(names)))


def test_watched_weights_are_kept_over_time() -> None:
    monitor = told(opened(), watched(0, [1.0, 10.0]), watched(1, [2.0, 20.0], [3.0, 30.0]))
    assert list(monitor.watched) == [W, B]
    assert [monitor.watched[W].at(i).mean for i in range(3)] == [1, 2, 3]
    assert [monitor.watched[B].at(i).mean for i in range(3)] == [10, 20, 30]
    assert monitor.watched_now == {W: 3, B: 30}


def test_the_past_told_again_is_known_already() -> None:
    monitor = told(opened(), watched(0, [1.0, 1.0], [2.0, 2.0], [3.0, 3.0]))
    monitor.hear(watched(1, [2.5, 2.0]))  # back, and set by hand
    assert monitor.watched_now == {W: 2.5, B: 2}
    assert monitor.watched[W].last == 2
    monitor.hear(watched(2, [3.0, 3.0], [4.0, 4.0]))
    assert monitor.watched[W].last == 3
    assert [monitor.watched[W].at(i).mean for i in range(4)] == [1, 2, 3, 4]


def test_a_branch_forgets_what_came_after() -> None:
    monitor = told(opened(), watched(0, [1.0, 1.0], [2.0, 2.0], [3.0, 3.0]), Branched(1, "/b"))
    assert monitor.watched[W].last == 1
    monitor.hear(watched(2, [9.0, 9.0]))
    assert monitor.watched[W].at(2).mean == 9


def test_other_weights_are_watched_instead_and_another_run_begins_anew() -> None:
    monitor = told(opened(), watched(0, [1.0, 1.0], [2.0, 2.0]), watched(1, [2.0], names=(B,)))
    assert list(monitor.watched) == [B]
    assert monitor.watched[B].first == 0
    monitor.hear(watched(1, [], names=()))
    assert monitor.watched == monitor.watched_now == {}
    monitor = told(opened(), watched(5, [1.0, 1.0]), opened("/other"), watched(0, [7.0, 7.0]))
    assert (monitor.watched[W].first, monitor.watched[W].last) == (0, 0)


def test_breakpoints_and_why_it_stopped_are_noted() -> None:
    monitor = told(
        opened(),
        BreakpointsSet(("loss < 0.1", "epoch 3")),
        Stopped(12, "epoch 3 is complete at iteration 12"),
        BreakpointsSet(("loss < 0.1",)),
        BreakpointsSet(("loss < 0.1",)),
        Exported("/home/me/update.md"),
    )
    assert monitor.breakpoints == ("loss < 0.1",)
    assert lines(monitor) == [
        "stops at: epoch 3, loss < 0.1",
        "stopped: epoch 3 is complete at iteration 12",
        "no longer stops at: epoch 3",
        "the update is written down in /home/me/update.md",
    ]


def test_a_gradient_check_is_kept_as_long_as_its_update_is_open() -> None:
    numbers = (0.5, 1e-5, 0.3, 0.2, 0.1, 0.1, 0.0)
    checked = GradientChecked(W, 4, *numbers, True, 3, 6, "They agree.")
    monitor = told(opened(), state("stepping", 3), checked, state("stepping", 3))
    assert monitor.gradient is checked
    monitor.hear(state("paused", 4))
    assert monitor.gradient is None


def past() -> Monitor:
    """Eight updates made, standing at the third."""
    ended = epochs([1, 4, *[0.5] * 4], [2, 8, *[0.25] * 4])
    monitor = told(opened(), state("ready"), state("running"), progress(1, [1.0] * 8, ended))
    monitor.hear(state("travelling", 6, tip=8))
    assert monitor.busy
    monitor.hear(state("paused", 3, tip=8))
    return monitor


def test_in_the_past_the_curves_stay_and_nothing_is_added_twice() -> None:
    monitor = past()
    assert (monitor.iteration, monitor.tip, monitor.loss.last) == (3, 8, 8)
    assert "at iteration 3 of 8 reached" in lines(monitor)
    monitor.hear(progress(4, [9.0] * 2, epochs([1, 4, *[9.0] * 4])))
    assert (monitor.iteration, monitor.tip) == (5, 8)
    monitor.hear(progress(6, [9.0] * 3 + [2.0], epochs([2, 8, *[9.0] * 4])))
    assert (monitor.iteration, monitor.tip, monitor.loss.last) == (9, 9, 9)
    assert monitor.loss.buckets().mean.tolist() == [1.0] * 8 + [2.0]
    assert monitor.figures["accuracy"].buckets().mean.tolist() == [0.5, 0.25]


def test_a_rate_is_noted_where_it_was_changed_and_nowhere_else() -> None:
    monitor = past()
    monitor.hear(state("travelling", 6, rate=0.5, tip=8))
    monitor.hear(state("paused", 5, rate=0.1, tip=8))
    monitor.hear(opened("/b", 5))
    monitor.hear(state("paused", 5, rate=0.2))
    assert not [line for line in lines(monitor) if "learning rate" in line]
    monitor.hear(state("paused", 5, rate=0.3))
    assert lines(monitor)[-1] == "learning rate 0.3 from iteration 5"


@pytest.mark.parametrize(
    ("last", "begun"),
    [
        (state("ready"), 0),
        (state("stepping"), 1),
        (state("paused", 8), 2),
        (state("paused", 9), 3),
        (state("stepping", 8), 3),
        (state("stepping", 4, tip=8), 2),
    ],
)
def test_epochs_have_begun_with_their_first_update(last: StateChanged, begun: int) -> None:
    assert told(opened(), last).begun == begun


def test_a_branch_keeps_what_came_after_beside_what_comes_now() -> None:
    monitor = past()
    monitor.hear(Branched(3, "/b"))
    monitor.hear(state("paused", 3))
    assert monitor.opened is not None
    assert monitor.opened.folder == "/b"
    assert monitor.branch_loss is not None
    assert (monitor.branch_loss.first, monitor.branch_loss.last) == (4, 8)
    assert (monitor.loss.last, monitor.tip) == (3, 3)
    assert monitor.branch_figures["accuracy"].buckets().first.tolist() == [4, 8]
    monitor.hear(progress(4, [5.0] * 2, epochs([1, 4, *[0.125] * 4])))
    assert monitor.loss.buckets().mean.tolist() == [1.0] * 3 + [5.0] * 2
    assert monitor.figures["accuracy"].buckets().mean.tolist() == [0.125]
    monitor.hear(opened("/c"))
    assert (monitor.branch_loss, monitor.branch_figures) == (None, {})
