"""Build mode and files: new, open, save."""

from pathlib import Path

from textual import work

from tui_nn.draft import Draft
from tui_nn.forms.files import file_to_open, file_to_save
from tui_nn.forms.parts import outline
from tui_nn.forms.picker import Picker
from tui_nn.modes.mode import Mode
from tui_nn.starters import starters
from tui_nn_engine.blocks.schema import ExperimentError
from tui_nn_engine.checks.usual import HIDDEN, usual_for, usual_network
from tui_nn_engine.data.prepared import PreparedData


class Filing(Mode):
    """A mode that edits a draft, which comes from files and goes into them."""

    def __init__(self, draft: Draft) -> None:
        super().__init__()
        self.draft = draft

    @property
    def data(self) -> PreparedData | None:
        """The data of the draft, if it is known."""
        raise NotImplementedError

    def replaced(self) -> None:
        """Show the draft, in whose place another has come."""
        raise NotImplementedError

    def saved(self) -> None:
        """Show that the draft is in its file."""
        raise NotImplementedError

    @work
    async def action_new(self) -> None:
        """Begin from a starter, or from what is usual for the data; undo leads back."""
        known = starters()
        said = {name: outline(one.tree()) for name, one in known.items()}
        said["usual"] = "networks as lectures advise them, for the data that is chosen now"
        name = await self.app.push_screen_wait(Picker("A new experiment", said))
        if name == "usual":
            self.action_usual()
        elif name is not None:
            self.draft.start(known[name])
            self.replaced()

    @work
    async def action_usual(self) -> None:
        """Put a usual network on the data there is, with the output and the loss of its task."""
        data = self.data
        if data is None:
            self.notify("There is no data yet to choose a network for.", severity="warning")
            return
        usual = usual_for(data)
        networks = {size: self.draft.tree | usual_network(data, size) for size in HIDDEN}
        said = {size: outline(tree) for size, tree in networks.items()}
        title = f"Usual for {data.dataset.name}: {usual.task}, {usual.loss}"
        size = await self.app.push_screen_wait(Picker(title, said))
        if size is not None:
            tree = networks[size]
            self.draft.replace({name: value for name, value in tree.items() if name != "rule"})
            self.replaced()

    @work
    async def action_open(self) -> None:
        """Choose a file and read it; undo leads back."""
        path = await file_to_open(self.app, self.draft)
        if path is None:
            return
        try:
            self.draft.open(path)
        except ExperimentError as error:
            self.notify(str(error), title=f"{path.name} was not opened", severity="error")
            return
        self.replaced()

    @work
    async def action_save(self) -> None:
        """To its file; the first time it asks for one."""
        path = self.draft.path or await file_to_save(self.app, self.draft)
        if path is not None:
            self._save(path)

    @work
    async def action_save_as(self) -> None:
        """To another file."""
        path = await file_to_save(self.app, self.draft)
        if path is not None:
            self._save(path)

    def _save(self, path: Path) -> None:
        try:
            self.draft.save(path)
        except OSError as error:
            self.notify(f"{path}: {error.strerror}", title="Not saved", severity="error")
            return
        if problems := self.draft.problems:
            it_has = "a problem" if len(problems) == 1 else f"{len(problems)} problems"
            text = f"{path}\nIt has {it_has} and can't be trained yet."
            self.notify(text, title="Saved as it is", severity="warning")
        else:
            self.notify(str(path), title="Saved")
        self.saved()
