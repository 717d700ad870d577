"""All that is wrong with an experiment, each with the mend there is for it."""

from dataclasses import dataclass

from rich.text import Text
from textual import on
from textual.message import Message
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from tui_nn.review import Fix, Review


class Findings(OptionList):
    """Choosing a problem leads to its field, choosing its mend makes it."""

    DEFAULT_CSS = """
    Findings, Findings:focus { height: auto; border: none; padding: 0; background: transparent; }
    Findings > .option-list--option { padding: 0 1; }
    """

    @dataclass
    class Chosen(Message):
        """A problem was chosen: to its place."""

        path: str

    @dataclass
    class Mend(Message):
        """A mend was chosen."""

        fix: Fix

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002  Textual's own name
        super().__init__(id=id)
        self._meanings: list[Message | None] = []

    def show(self, review: Review) -> None:
        """Show what was found."""
        fixes = {id(fix.problem): fix for fix in review.fixes}
        options: list[Option] = []
        self._meanings = []
        for problem in review.problems:
            place = f"{problem.path}: " if problem.path else ""
            said = Text.assemble(("✗ ", "bold red"), (place, "bold"), problem.message)
            options.append(Option(said))
            self._meanings.append(self.Chosen(problem.path))
            fix = fixes.get(id(problem))
            if fix is not None:
                first = fix is review.fixes[0]
                key = "press f to mend: " if first else "mend: "
                options.append(Option(Text.assemble(("  → ", "bold"), (key, "bold"), fix.remedy)))
                self._meanings.append(self.Mend(fix))
        if not options:
            options = [Option(Text("✓ ready to train", "green"), disabled=True)]
            self._meanings = [None]
        self.set_options(options)

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        meaning = self._meanings[event.option_index]
        if meaning is not None:
            self.post_message(meaning)
