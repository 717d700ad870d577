"""The command line. What needs the engine, Rich or Textual imports it when it runs."""

import errno
import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from tui_nn.commands.check import check
from tui_nn.commands.compare import compare
from tui_nn.commands.data import data
from tui_nn.commands.failures import Exit, Failure, internal_error
from tui_nn.commands.files import experiment_or_run
from tui_nn.commands.lesson import lesson
from tui_nn.commands.predict import predict
from tui_nn.commands.rates import rates
from tui_nn.commands.sample import sample
from tui_nn.commands.step import step
from tui_nn.commands.train import train

EXAMPLES = """\b
Examples:
  tui-nn                            open the laboratory
  tui-nn mnist.toml                 open it on an experiment
  tui-nn FOLDER                     open it on a run that was saved
  tui-nn train mnist.toml           train without a screen, the same numbers
  tui-nn train mnist.toml --set training.epochs=3 --set optimizer.learning_rate=0.01
  tui-nn train --resume FOLDER      go on with an interrupted run
  tui-nn compare rates.toml         train with all combinations of listed values, and rank them
  tui-nn rates mnist.toml           try learning rates, and suggest one
  tui-nn check mnist.toml           name all problems of an experiment
  tui-nn step xor.toml              one whole update, with its numbers put in
  tui-nn sample FOLDER              text written by a network that was trained on text
  tui-nn predict FOLDER new.csv     what a network says of new rows of its table
  tui-nn lesson                     list the lessons; `lesson NAME` tells one
  tui-nn data                       list the data sets
  tui-nn data fetch mnist           bring the whole MNIST here
  tui-nn ./train                    open a file that is named like a command

\b
Exit codes: 0 done, 1 internal error or a lesson that deviates, 2 bad input, 3 training diverged,
130 interrupted and 143 terminated (the run is saved), 141 nobody reads the output.
"""


DISK_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EIO)


@click.command(add_help_option=False)
@click.argument("file", type=experiment_or_run, required=False)
def laboratory(file: Path | None) -> None:
    """Open the app, on an experiment file or the folder of a run if one is named."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise Failure(
            "the laboratory needs a terminal, and input or output is none; "
            "`tui-nn train FILE` trains without one"
        )
    from tui_nn.app import Laboratory

    app = Laboratory(file)
    app.run()
    sys.exit(app.return_code or 0)


class Program(click.Group):
    """A group in which a first word that is no command names the experiment to open."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that the words mean."""
        if args[0] in self.commands:
            return super().resolve_command(ctx, args)
        return "", laboratory, args

    def make_context(
        self,
        info_name: str | None,
        args: list[str],
        parent: click.Context | None = None,
        **extra: Any,
    ) -> click.Context:
        """Read the words; some are answered at once, as --help."""
        _open_what_is_closed()
        with ended_in_order():
            return super().make_context(info_name, args, parent, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        with ended_in_order():
            result = super().invoke(ctx)
            sys.stdout.flush()
        return result


@contextmanager
def ended_in_order() -> Iterator[None]:
    """However a command ends, it ends with its exit code and a short message."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # in another encoding than UTF-8 there is no δ
            stream.reconfigure(errors="replace")
    try:
        yield
    except (click.ClickException, click.exceptions.Exit, click.Abort):
        raise
    except KeyboardInterrupt:
        raise click.exceptions.Exit(Exit.INTERRUPTED) from None
    except BrokenPipeError:
        _write_no_more()
        raise click.exceptions.Exit(Exit.BROKEN_PIPE) from None
    except Exception as error:
        if isinstance(error, OSError) and error.errno in DISK_ERRORS:
            _write_no_more()
            raise Failure(f"the output can't be written: {error.strerror}") from None
        from tui_nn_engine.training.runs import runs_folder

        raise internal_error(error, runs_folder()) from None


def _open_what_is_closed() -> None:
    """Where a shell or a service has closed standard input or output, Python has none at all."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open(mode, encoding="utf-8"))  # noqa: SIM115


def _write_no_more() -> None:
    """Python flushes once more at the end; so its documentation of SIGPIPE advises."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


@click.group(
    cls=Program,
    invoke_without_command=True,
    commands=[train, compare, rates, check, step, sample, predict, data, lesson],
    epilog=EXAMPLES,
    subcommand_metavar="[FILE | COMMAND ...]",
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(package_name="tui-nn")
@click.pass_context
def main(ctx: click.Context) -> None:
    """A neural-network laboratory in the terminal: build, train live, step through every operation.

    Without a command it opens the laboratory, on the experiment FILE if one is named.
    """
    if ctx.invoked_subcommand is None:
        ctx.invoke(laboratory, file=None)
