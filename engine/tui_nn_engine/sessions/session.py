"""A session: commands in, events out. It owns one run, and is the same in any process."""

import math
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path

from tui_nn_datasets import DataError
from tui_nn_engine.blocks.schema import ExperimentError
from tui_nn_engine.experiments.experiment import Experiment
from tui_nn_engine.sessions import protocol
from tui_nn_engine.sessions.inspector import Inspector
from tui_nn_engine.sessions.journey import Journey
from tui_nn_engine.sessions.lookout import Lookout
from tui_nn_engine.sessions.protocol import Command, Message, State
from tui_nn_engine.sessions.rate_trial import RateTrial
from tui_nn_engine.sessions.standing import HealthReports, history, opened, resting, standing
from tui_nn_engine.sessions.stepping import Stepping
from tui_nn_engine.stepping.stepper import Stepper
from tui_nn_engine.training.checkpoint import CheckpointError
from tui_nn_engine.training.divergence import DivergedError
from tui_nn_engine.training.events import Epochs, Event, Progress, RunEnded, Stopped
from tui_nn_engine.training.runs import Run
from tui_nn_engine.training.trainer import Trainer

ONLOOKING = protocol.LookAt | protocol.Inspect | protocol.Watch | protocol.Break
"""Commands that change nothing of what is being done."""


class Session:
    """Follows commands and says what happens through `send`."""

    def __init__(self, send: Callable[[Message], None]) -> None:
        self._send = send
        self.run: Run | None = None
        self.state: State = "ready"
        self.stepping = Stepping(send)
        self._lookout = Lookout(send)
        self._events: Iterator[Event] | None = None
        self._until: int | None = None
        self._journey: Journey | None = None
        self._health = HealthReports(send)
        self._inspector = Inspector(send)
        self._rate_trial = RateTrial(send)

    @property
    def running(self) -> bool:
        """Whether `work` has something to do."""
        trains = self._events is not None or self._journey is not None
        return trains or self._rate_trial.running

    @property
    def _busy(self) -> bool:
        """Whether it is told to train, or to go elsewhere."""
        return self.state in {"running", "travelling"}

    def handle(self, command: Command) -> None:
        """Follow one command; one that can't be followed is answered with Refused."""
        try:
            if isinstance(command, protocol.Open):
                self._open(command)
            elif self.run is None:
                self._send(protocol.Refused("there is no experiment yet"))
            else:
                self._follow(command, self.run)
        except DivergedError as error:
            self._diverged(error)
        except BrokenPipeError:
            raise
        except (ExperimentError, DataError, CheckpointError, ValueError, OSError) as error:
            self._send(protocol.Refused(str(error)))
        except MemoryError as error:
            self._send(protocol.Refused(f"not enough memory: {error}"))

    def work(self) -> None:
        """One portion of training or travelling, if there is any to do."""
        if self.run is None:
            return
        try:
            if self._journey is not None:
                self._travel_on(self._journey, self.run)
            elif self._events is not None:
                self._train_on(self._events, self.run)
            else:
                self._rate_trial.work()
        except DivergedError as error:
            self._diverged(error)
        except MemoryError as error:
            self._send(protocol.Refused(f"not enough memory: {error}"))
            self._stop(self.run)
            self._to(resting(self.run))

    def _train_on(self, events: Iterator[Event], run: Run) -> None:
        event = next(events, None)
        if event is not None:
            self._tell(event, run)
        ended = event is None or isinstance(event, RunEnded)
        if isinstance(event, RunEnded):
            self._to("completed" if event.done else "diverged")
        elif ended:
            self._to("paused")
        if ended:
            self._events = None
        self._health.report(run, always=ended)

    # -- commands -------------------------------------------------------------------------------

    def _open(self, command: protocol.Open) -> None:
        experiment = Experiment.parse(command.experiment) if command.experiment else None
        folder = Path(command.folder) if command.folder else None
        self._keep()
        if command.resume and folder is not None:
            run = Run.resume(folder, experiment)
            self._begin(run, history(run))
        elif experiment is not None:
            self._begin(Run(Trainer(experiment), folder))
        else:
            self._send(protocol.Refused("an experiment or the folder of a run is needed"))

    def _begin(self, run: Run, epochs: Epochs | None = None) -> None:
        """Make this run the session's."""
        self._rate_trial.call_off()
        if self.run is not None:
            self.run.release()
        self.run, self._events, self._journey, self.stepping.stepper = run, None, None, None
        self._send(opened(run, epochs))
        self._lookout.move_to(run.trainer)
        self._to(resting(run))

    def _follow(self, command: Command, run: Run) -> None:
        if not isinstance(command, ONLOOKING):
            self._rate_trial.call_off()
        match command:
            case protocol.Play(epochs=epochs, until=until):
                batches, epoch = run.trainer.batches_per_epoch, run.trainer.state.epoch
                self._play(run, until or ((epoch + epochs) * batches if epochs else None))
            case protocol.Pause():
                self._stop(run)
                self._to("paused" if self._busy else self.state)
            case protocol.PlayOrPause():
                self._follow(protocol.Pause() if self._busy else protocol.Play(), run)
            case protocol.Update():
                self._update(run)
            case protocol.Step(count=count):
                self._step(run, count)
            case protocol.StepTo(cursor=cursor):
                self._step_within(run, lambda _: cursor)
            case protocol.StepPhase(direction=direction):
                self._step_within(run, lambda stepper: stepper.phase(direction))
            case protocol.GoTo(iteration=iteration):
                self._go_to(run, iteration)
            case protocol.Back(updates=updates, epochs=epochs):
                self._back(run, updates, epochs)
            case protocol.LookAt():
                self.stepping.look = command
                self.stepping.show()
            case protocol.Inspect():
                self._inspector.follow(command, run)
            case protocol.Restart():
                self._restart(run)
            case protocol.SetLearningRate(rate=rate):
                self._change(run, lambda: run.trainer.change_learning_rate(rate))
            case protocol.SetWeight(name=name, value=value):
                self._change(run, lambda: run.trainer.change_weight(name, value))
            case protocol.TryRates():
                self._try_rates(command, run)
            case protocol.TrainUntil(epochs=epochs):
                self._train_until(run, epochs)
            case protocol.Watch() | protocol.Break():
                self._look_out(run, command)
            case protocol.CheckGradient(weight=weight):
                self.stepping.check_gradient(weight)
            case protocol.Export(path=path, format=style):
                self.stepping.export(Path(path).expanduser().absolute(), style)
            case protocol.Save():
                self._save(run)
            case protocol.Close():
                self.close()

    def _stop(self, run: Run) -> None:
        """Go no further; a run that has ended is told to its end."""
        self._journey = None
        while self._events is not None and run.trainer.done:
            self.work()
        self._events = None

    def _complete(self, run: Run) -> bool:
        """Whether there is nothing left to train; says so."""
        if not run.trainer.done:
            return False
        if self.state == "completed":
            what = "training is complete; add epochs, or go back to the start"
            self._send(protocol.Refused(what))
        else:
            self._to("completed")
        return True

    def _look_out(self, run: Run, command: protocol.Watch | protocol.Break) -> None:
        """For something else; training that is under way goes on, looking out for it, too."""
        unseen = self._lookout.after is None
        with self.stepping.undone():
            self._lookout.follow(command, run.trainer)
        if self._events is not None and unseen:
            self._events = self._recorded(run, self._until)

    def _recorded(self, run: Run, until: int | None) -> Iterator[Event]:
        return run.record(until, after=self._lookout.after)

    def _play(self, run: Run, until: int | None) -> None:
        self._stop(run)
        if self._finish_step(run):
            self._to(resting(run))
        elif not self._complete(run):
            self._events, self._until = self._recorded(run, until), until
            self._to("running")

    def _update(self, run: Run) -> None:
        self._stop(run)
        if self.stepping.stepper is not None:
            self._finish_step(run)
        elif self._complete(run):
            return
        else:
            for event in self._recorded(run, run.trainer.state.iteration + 1):
                self._tell(event, run)
                if isinstance(event, RunEnded) and event.reason == "diverged":
                    self._to("diverged")
                    return
        self._to(resting(run))
        self._health.report(run, always=True)

    def _step(self, run: Run, count: int) -> None:
        if count < 0 and not self.stepping.cursor and run.trainer.state.iteration:
            here = run.trainer.state.iteration
            end = partial(self._step_within, run, lambda stepper: len(stepper.ops) + count)
            self._depart(run, here - 1, end)
            return
        stepper = self.stepping.stepper
        if stepper is not None and stepper.complete and count > 0:
            self._finish_step(run)
        self._step_within(run, lambda stepper: stepper.cursor + count)

    def _step_within(self, run: Run, place: Callable[[Stepper], int]) -> None:
        """To that operation of the update laid open, or else of the next one."""
        self._stop(run)
        stepper = self.stepping.stepper
        if stepper is None:
            if self._complete(run):
                return
            stepper = self.stepping.lay_open(run.trainer)
        stepper.go_to(max(0, min(place(stepper), len(stepper.ops))))
        self._to("stepping")
        self.stepping.show()

    def _finish_step(self, run: Run) -> bool:
        """Do the rest of an update that is half done, and book it; whether to stop there."""
        loss = self.stepping.finish()
        if loss is None:
            return False
        reason = self._lookout.look(loss)
        told: Iterable[Event] = run.write(run.trainer.progress([loss], 0.0))
        if reason is not None:
            told = (*told, Stopped(run.trainer.state.iteration, reason))
        if run.trainer.done:
            told = (*told, *run.record())
        for event in told:
            self._tell(event, run)
        return reason is not None

    def _train_until(self, run: Run, epochs: int) -> None:
        """Not fewer epochs than have begun, be it in the future of where it stands."""
        at, stepper = run.trainer.state.iteration, self.stepping.stepper
        begun = max(run.timeline.tip, at + (stepper is not None))
        run.trainer.train_until(max(epochs, math.ceil(begun / run.trainer.batches_per_epoch)))
        at_rest = self.state in {"completed", "paused", "ready"}
        self._to(resting(run) if at_rest else self.state)

    def _try_rates(self, command: protocol.TryRates, run: Run) -> None:
        """On a copy of what is here now; an update that is laid open is none of it."""
        at_work = self._busy
        self._stop(run)
        if at_work:
            self._to(resting(run))
        with self.stepping.undone():
            self._rate_trial.begin(command, run.trainer)

    def _restart(self, run: Run) -> None:
        """A run of its own, so that the one before is kept and can be resumed."""
        experiment = run.trainer.experiment
        training = experiment.training.model_copy(update={"changes": ()})
        again = experiment.model_copy(update={"training": training})
        self._keep()
        self._begin(Run(Trainer(again, run.trainer.data)))

    # -- other places in time -------------------------------------------------------------------

    def _go_to(self, run: Run, iteration: int) -> None:
        """To where it has been; from the tip, train on until there."""
        tip = run.timeline.tip
        if iteration > tip:
            self._depart(run, tip, lambda: self._play(run, iteration))
        else:
            self._depart(run, max(iteration, 0))

    def _back(self, run: Run, updates: int, epochs: int) -> None:
        under_way = 1 if self.stepping.cursor else 0
        here = run.trainer.state.iteration + under_way
        if self._journey is not None:
            here = self._journey.destination
        if epochs:
            batches = run.trainer.batches_per_epoch
            destination = (math.ceil(here / batches) - epochs) * batches
        else:
            destination = here - updates
        self._depart(run, max(destination, 0))

    def _depart(self, run: Run, destination: int, arrive: Callable[[], None] | None = None) -> None:
        """Leave for an iteration up to the tip; a short way is gone at once."""
        reopen = self.stepping.stepper is not None
        reopen = reopen or (self._journey is not None and self._journey.reopen)
        self._stop(run)
        self.stepping.leave()
        way = run.timeline.travel(destination)
        arrive = arrive or (lambda: self._rest(run, reopen))
        self._journey = Journey(destination, way, arrive, reopen)
        self._travel_on(self._journey, run)

    def _travel_on(self, journey: Journey, run: Run) -> None:
        if next(journey.way) != journey.destination:
            self._to("travelling")
            return
        self._journey = None
        self._lookout.tell_now()
        self._health.report(run, always=True)
        journey.arrive()

    def _rest(self, run: Run, reopen: bool) -> None:
        """Where a journey ends."""
        if reopen and not run.trainer.done:
            self._step(run, 0)
        else:
            self._to(resting(run))

    def _change(self, run: Run, change: Callable[[], None]) -> None:
        """Before the next update; one that is half done is done again as far as it was.

        In the past, that begins another run, which goes on as this one did.
        """
        if self._journey is not None:
            raise ValueError("nothing can be changed on the way to another iteration")
        with self.stepping.undone():
            if run.timeline.in_past:
                self._branch(run, change)
            else:
                change()
            self._lookout.tell_now()
        self._to(self.state)
        self.stepping.show()

    def _branch(self, run: Run, change: Callable[[], None]) -> None:
        branch, told = run.branch(change)
        run.release()
        self.run = branch
        if self._events is not None:
            self._events = self._recorded(branch, self._until)
        self._send(protocol.Branched(branch.trainer.state.iteration, str(branch.folder)))
        for event in told:
            self._send(event)

    # -- saving and ending ----------------------------------------------------------------------

    def _save(self, run: Run) -> None:
        with self.stepping.undone():
            saved = run.save()
        self._send(saved)

    def _diverged(self, error: DivergedError) -> None:
        self._events = self._journey = None
        self.stepping.leave()
        if self.run is not None:
            self._send(self.run.trainer.ended_by(error))
        self._to("diverged")

    def _keep(self) -> None:
        """Save the run where it stands, before another may take its place."""
        if self.run is not None and self.run.timeline.tip:
            self._save(self.run)

    def close(self) -> None:
        """Save what there is, without a word: nobody may be listening any more."""
        if self.run is not None and self.run.timeline.tip:
            self.stepping.leave()
            self.run.save()
        self.run = self._events = self._journey = self.stepping.stepper = None

    # -- what it says ---------------------------------------------------------------------------

    def _tell(self, event: Event, run: Run) -> None:
        self._send(event)
        if isinstance(event, Progress):
            self._lookout.tell()
            run.timeline.observe()
            self._inspector.tell(run, always=False)

    def _to(self, state: State) -> None:
        self.state = state
        if self.run is not None:
            self._send(standing(self.run, state))
            self._inspector.tell(self.run, always=state not in {"running", "travelling"})
