"""The keys of a mode, in its bottom line."""

from textual.screen import Screen
from textual.widgets import Footer


class KeyLine(Footer):
    """Made anew where it would say something else; Textual's own is whenever the focus moves, a
    widget a key.
    """

    def __init__(self) -> None:
        super().__init__(show_command_palette=False, compact=True)
        self._said: list[tuple[str, str, bool, str]] = []

    def bindings_changed(self, screen: Screen[object]) -> None:
        """Of Textual: another widget has the focus, or a mode says that its keys have changed."""
        if not (screen.app.app_focus and self.is_attached and screen is self.screen):
            return
        says = [
            (binding.key, binding.description, enabled, tooltip)
            for _, binding, enabled, tooltip in screen.active_bindings.values()
            if binding.show
        ]
        if says != self._said:
            self._said = says
            super().bindings_changed(screen)
