"""Where one is in a story, and the ways on from there."""

from collections.abc import Collection

from textual.content import Content
from textual.style import Style
from textual.widgets import Static

HERE, SEEN, UNSEEN = "●", "▰", "▱"


class StoryNav(Static):
    """A sign for each step, to be clicked: the one on the screen, those seen, those to come."""

    DEFAULT_CSS = "StoryNav { height: 1; text-wrap: nowrap; color: $text-muted; }"

    def show(self, step: int, steps: int, seen: Collection[int]) -> None:
        """Show that step `step` of `steps` is on the screen."""
        signs = [
            _link(HERE if one == step else SEEN if one in seen else UNSEEN, f"go({one})")
            for one in range(steps)
        ]
        self.update(
            Content.assemble(
                _link("◂ b", "turn(-1)"), "  ", *signs, "  ", _link("n ▸", "turn(1)"),
                (f"   step {step + 1}/{steps}", "bold"),
                "   ", _link("x open in Step mode", "walk"),
            )
        )  # fmt: skip


def _link(text: str, action: str) -> Content:
    return Content.styled(text, Style.from_meta({"@click": f"screen.{action}"}))
