"""Run lesson L11's experiments on whole MNIST and print the figures that it keeps as recorded.

    tui-nn data fetch mnist
    python tools/run_first_look.py            # some ten minutes on one core

Each is the lesson's own experiment with `data.name = "mnist"` and one BLAS thread. The homework
prints no learning rate: every rate of RATES is run, and which one is told in the lesson is chosen
by the accuracy on the 15,000 images held out, not by the print.
"""

import sys

import numpy as np

from tui_nn.lessons import load
from tui_nn_engine import DivergedError, Experiment, Trainer

RATES = (0.03, 0.1, 0.3, 1.0, 3.0)
WHOLE = ("data.name=mnist", "training.threads=1")


def main(chosen: list[str]) -> None:
    """All experiments, or those named."""
    for name, experiment in load("first_look").all_experiments().items():
        if chosen and name not in chosen:
            continue
        full = experiment.overridden(WHOLE)
        homework = full.training.batch_size == 1024
        for rate in RATES if homework else (full.method.learning_rate,):
            train(f"{name}, rate {rate:g}", full.overridden([f"optimizer.learning_rate={rate}"]))


def train(title: str, experiment: Experiment) -> None:
    """Train to the end; each epoch's figures are told as they come."""
    trainer = Trainer(experiment)
    print(f"\n{title}: {trainer.samples} images, {trainer.batches_per_epoch} updates an epoch")
    while not trainer.done:
        try:
            trainer.update()
        except DivergedError as error:
            print(f"  diverged: {error}")
            return
        for row in trainer.take_ended():
            after = trainer.evaluate(trainer.data.train)
            told = {"training": row.metrics["accuracy"], "after": after.metrics["accuracy"]}
            if row.val_metrics is not None:
                told |= {"validation": row.val_metrics["accuracy"]}
            figures = "  ".join(f"{key} {100 * value:.2f}" for key, value in told.items())
            losses = f"loss {row.loss:.4f} validation loss {row.val_loss or float('nan'):.4f}"
            print(f"  epoch {row.epoch:2}  {figures}  {losses}", flush=True)
    test = trainer.evaluate(trainer.data.test)
    print(f"  test {100 * test.metrics['accuracy']:.2f}  loss {test.loss:.4f}")
    held_out = trainer.data.validation
    if len(held_out):
        y = trainer.predict(trainer.data.dataset.x[held_out.indices]).astype(np.float64)
        t = trainer.data.targets(held_out, 10)
        y = np.clip(y, 1e-7, 1 - 1e-7)
        binary = -(t * np.log(y) + (1 - t) * np.log(1 - y)).mean()
        print(f"  binary cross-entropy of the ten outputs on those held out {binary:.4f}")


if __name__ == "__main__":
    main(sys.argv[1:])
