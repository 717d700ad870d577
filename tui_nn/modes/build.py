"""Build mode: the experiment in forms, what comes of each edit, and what is wrong with it."""

from dataclasses import dataclass

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.message import Message
from textual.timer import Timer
from textual.widgets import OptionList, Static, Tab, Tabs
from textual.worker import get_current_worker

from tui_nn.draft import Draft
from tui_nn.forms.field import Edited, Field, focus_field
from tui_nn.forms.findings import Findings
from tui_nn.forms.form import Form
from tui_nn.forms.parts import (
    PartList,
    is_layer,
    part_at,
    part_form,
    parts_of,
    totals,
)
from tui_nn.modes.arranging import Arranging
from tui_nn.review import Fix, Review, Tree, review
from tui_nn.widgets.data_preview import DataPreview, Preview
from tui_nn.widgets.exchange import Exchange
from tui_nn.widgets.rate_curve import RateCurve
from tui_nn_engine.blocks.paths import value_at
from tui_nn_engine.data.prepared import PreparedData

_UNDO = Binding.Group("Undo/redo ", compact=True)
HELP = """\
**The experiment, part by part.** Choose a part at the left, fill in its form; what comes of it
(shapes, numbers of parameters, connections) is shown at once, and what does not fit, with `f`
to mend it. `2` trains it; once a run has begun, that goes on as it is until `r` there starts anew
with what stands here. Nothing is lost: `ctrl+z` takes back whatever was done. `a` adds a layer
after the chosen one, or into the chosen branch of a parallel block; `u` puts up what is usual.
"""
_PAUSE = 0.12  # seconds without a key before an edit is reviewed


class Build(Arranging):
    """Parts on the left, the form of one in the middle, data and problems on the right."""

    CSS_PATH = "build.tcss"
    HELP = HELP
    BINDING_GROUP_TITLE = "Build mode"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (70, "-medium"), (112, "-wide")]
    BINDINGS = [
        ("f", "mend", "Mend"),
        Binding("ctrl+z", "undo", "Undo", group=_UNDO, priority=True),
        Binding("ctrl+y", "redo", "Redo", group=_UNDO, priority=True),
        Binding("ctrl+s", "save", "Save", priority=True),
        Binding("S,ctrl+shift+s", "save_as", "Save as"),
        Binding("ctrl+o", "open", "Open", priority=True),
        ("n", "new", "New"),
        Binding("u", "usual", "Usual network", show=False, tooltip="What is usual for this data"),
        ("p", "next_pane", "Next pane"),
        ("escape", "leave", "Parts"),
    ]

    @dataclass
    class Changed(Message):
        """The experiment was reviewed after a change (and once at the start)."""

        review: Review

    @dataclass
    class _Reviewed(Message):
        tree: Tree
        review: Review
        preview: Preview | None

    def __init__(self, draft: Draft) -> None:
        super().__init__(draft)
        self.add_class("-at-parts")  # the first tab
        self._form: Field | Form | None = None
        self._exchange = Exchange()
        self._review: Review | None = None
        self._waiting: Timer | None = None
        self._adopting = False
        """The data set was switched: its network is to follow once the data is known."""

    def compose_mode(self) -> ComposeResult:
        """The four panes, and the tabs that choose among them where they don't fit."""
        yield Tabs(
            Tab("Parts", id="parts"), Tab("Form", id="form"),
            Tab("Data", id="data"), Tab("Problems", id="problems"),
        )  # fmt: skip
        with Horizontal(id="panes"):
            with Vertical(id="parts-pane", classes="pane"):
                yield PartList()
                yield Static(id="totals", markup=False)
            with Vertical(id="middle"):
                yield VerticalScroll(id="form-pane", classes="pane", can_focus=False)
                with Vertical(id="rate-pane", classes="pane"):
                    yield RateCurve()
            with Vertical(id="side"):
                with Vertical(id="data-pane", classes="pane") as pane:
                    pane.border_title = "Data"
                    yield DataPreview()
                with VerticalScroll(id="problems-pane", classes="pane", can_focus=False) as pane:
                    pane.border_title = "Problems"
                    yield Findings()

    def on_mount(self) -> None:
        """Show the draft and review it."""
        self.query_one(DataPreview).show(None, "loading the data…")
        self.reload()
        self.query_one(PartList).focus()

    def on_screen_resume(self) -> None:
        """The draft may have changed while another mode was on."""
        if self._form is not None:
            self.reload()

    @property
    def data(self) -> PreparedData | None:
        """The data of the draft, if it is known."""
        return self._review.data if self._review else None

    def reload(self) -> None:
        """Show the draft as it now is, whatever was done to it, and review it."""
        self._show_parts()
        if self._form is not None and self._form.path == self.part:
            self._form.show(self.draft.value(self.part))
        else:
            self._open_part()
        self._review_soon(0.001)

    # What the panes show

    def _show_parts(self) -> None:
        review, draft = self._review, self.draft
        parts = parts_of(draft.model, draft.tree, review.summary if review else ())
        if all(part.path != self.part for part in parts):
            self.part = next(
                (p.path for p in reversed(parts) if p.path.startswith("layers[")), "data"
            )
        listing = self.query_one(PartList)
        with listing.prevent(OptionList.OptionHighlighted):
            listing.show(parts, review.problems if review else ())
            listing.highlighted = listing.index_of(self.part)
        self.query_one("#totals", Static).update(totals(parts))
        name = draft.path.name if draft.path else "new experiment"
        title = f"{name} · changed" if draft.modified else name
        self.query_one("#parts-pane").border_title = title
        titles = {part.path: part.title for part in parts}
        self.query_one("#form-pane").border_title = titles[self.part]
        self.query_one("#rate-pane").display = self.part == "schedule"
        self.refresh_bindings()

    @work(exclusive=True, group="form")
    async def _open_part(self, place: str | None = None) -> None:
        """Put up the form of the chosen part; `place`: with the focus on the field there."""
        pane, form = self.query_one("#form-pane", VerticalScroll), self._form
        if form is not None and form.is_mounted and is_layer(form.path) and is_layer(self.part):
            form.move(self.part)
            form.show(self.draft.value(self.part))
        else:
            form = await self._put_up(pane)
        if self._review is not None:
            form.show_problems(self._review.problems)
        if place is not None:
            focus_field(self.query_one("#form-pane"), place)

    async def _put_up(self, pane: VerticalScroll) -> Field | Form:
        """A new form in the place of the one before."""
        form = part_form(self.draft.model, self.part, self.draft.value(self.part))
        self._form = form

        async def put_up() -> None:
            with self.app.batch_update():  # else it is laid out anew after every few fields
                await pane.remove_children()
                await pane.mount(form)

        await self._exchange(put_up)
        pane.scroll_home(animate=False)
        return form

    def _select(self, path: str, *, place: str | None = None) -> None:
        """Choose a part; `place`: and go to the field there."""
        moved = path != self.part
        self.part = path
        self._show_parts()
        if place is not None:
            self._show_pane("form")
        if moved or self._form is None or self._form.path != path:
            self._open_part(place)
        elif place is not None:
            focus_field(self.query_one("#form-pane"), place)

    @on(OptionList.OptionHighlighted, "PartList")
    def _highlighted(self, event: OptionList.OptionHighlighted) -> None:
        parts = self.query_one(PartList).parts
        if event.option_index < len(parts):
            self._select(parts[event.option_index].path)

    @on(OptionList.OptionSelected, "PartList")
    def _chosen(self, event: OptionList.OptionSelected) -> None:
        path = self.query_one(PartList).parts[event.option_index].path
        self._select(path, place=path)

    # Edits and their review

    @on(Edited)
    def _edited(self, event: Edited) -> None:
        event.stop()
        before = value_at(self.draft.tree, ("data", "name"))
        self.draft.set(event.path, event.value)
        self._adopting |= value_at(self.draft.tree, ("data", "name")) != before
        self._show_parts()
        self._review_soon()

    def _review_soon(self, pause: float = _PAUSE) -> None:
        if self._waiting is not None:
            self._waiting.stop()
        self._waiting = self.set_timer(pause, self._start_review)

    @work(thread=True, exclusive=True, group="review")
    def _start_review(self) -> None:
        tree = self.draft.tree
        found = review(tree, self.draft.model)
        known = self._review.data if self._review else None
        new = found.data is not None and found.data is not known
        preview = Preview.of(found.data) if new and found.data is not None else None
        if not get_current_worker().is_cancelled:
            self.post_message(self._Reviewed(tree, found, preview))

    @on(_Reviewed)
    def _reviewed(self, event: _Reviewed) -> None:
        if event.tree is not self.draft.tree:
            self._review_soon()
            return
        if self._adopting:
            self._adopting = False
            if event.review.data is not None:
                self.draft.fit_to(event.review.data)
            if event.tree is not self.draft.tree:
                self.reload()
                return
        new_data = self._review is None or event.review.data is not self._review.data
        self._review = event.review
        self._show_parts()
        if new_data:
            self.query_one(DataPreview).show(event.preview, "no data: see the problems")
        self.query_one(Findings).show(event.review)
        self.query_one(RateCurve).show(event.review.forecast)
        count = len(event.review.problems)
        self.query_one("#problems-pane").border_title = (
            f"Problems ✗ {count}" if count else "Problems"
        )
        self.query_one("#problems", Tab).label = f"Problems ✗{count}" if count else "Problems"
        self.set_class(bool(count), "-problems")
        if self._form is not None:
            self._form.show_problems(event.review.problems)
        self.post_message(self.Changed(event.review))

    def show_arranged(self, path: str, *, place: str | None = None) -> None:
        """Layers were changed: show the part at `path`; `place`: and go to the field there."""
        self._form = None  # the path is another layer's now
        self._select(path, place=place)
        self._review_soon(0.001)

    # Mends, history

    def action_mend(self) -> None:
        """Make the first mend there is."""
        if self._review is not None and self._review.fixes:
            self._mend(self._review.fixes[0])
        else:
            self.notify("No mend is known for this: enter on a problem leads to its field.")

    @on(Findings.Mend)
    def _mend_chosen(self, event: Findings.Mend) -> None:
        self._mend(event.fix)

    def _mend(self, fix: Fix) -> None:
        self.draft.replace(fix.tree)
        self.replaced()

    @on(Findings.Chosen)
    def _problem_chosen(self, event: Findings.Chosen) -> None:
        path = part_at(event.path) if event.path else "data"
        self._select(path, place=event.path or path)

    def action_undo(self) -> None:
        """Take the last change back."""
        self.draft.undo()
        self.replaced()

    def action_redo(self) -> None:
        """Make it again."""
        self.draft.redo()
        self.replaced()

    def replaced(self) -> None:
        """Show the draft, in whose place another has come."""
        self._adopting = False
        self.reload()

    def saved(self) -> None:
        """Show that the draft is in its file."""
        self._show_parts()

    # Panes

    def _show_pane(self, name: str) -> None:
        tabs = self.query_one(Tabs)
        if tabs.active != name:
            tabs.active = name

    @on(Tabs.TabActivated)
    def _tab(self, event: Tabs.TabActivated) -> None:
        for name in ("parts", "form", "data", "problems"):
            self.set_class(event.tab.id == name, f"-at-{name}")

    def action_next_pane(self) -> None:
        """To the next tab."""
        self.query_one(Tabs).action_next_tab()

    def action_leave(self) -> None:
        """Out of a field, back to the list of parts."""
        self._show_pane("parts")
        self.query_one(PartList).focus()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Grey out what can't be done now."""
        draft = self.draft
        match action:
            case "undo":
                return draft.can_undo or None
            case "redo":
                return draft.can_redo or None
            case "mend":
                return bool(self._review and self._review.problems) or None
            case "next_pane":
                return not self.has_class("-wide")
        return super().check_action(action, parameters)
