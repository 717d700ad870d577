"""Faults of Textual that the app works around, and its private members that the app uses.

Tried with Textual 8.2.4 to 8.2.8. Importing this module applies the patches.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any, TypeVar

from textual._styles_cache import StylesCache
from textual.color import Color
from textual.css.stylesheet import Stylesheet
from textual.style import Style
from textual.timer import Timer

Function = TypeVar("Function", bound=Callable[..., Any])


def replaces(owner: type, name: str) -> Callable[[Function], Function]:
    """Put the decorated function in the place of a method of Textual's."""

    def put(function: Function) -> Function:
        setattr(owner, name, function)
        return function

    return put


_init_timer = Timer.__init__


@replaces(Timer, "__init__")
def _init_timer_that_fires(timer: Timer, *arguments: Any, **options: Any) -> None:
    """Let a timer that fires once fire, however late it is.

    A timer that is late skips what it missed. One that fires once, as `set_timer` makes it, then
    never fires: on a busy machine reviews in Build were lost, and layouts after a resize.
    """
    _init_timer(timer, *arguments, **options)
    timer._skip = timer._skip and timer._repeat is None


@lru_cache(1024)
def _inner_outer(base_background: Color, background: Color) -> tuple[Style, Style]:
    return Style(background=base_background + background), Style(background=base_background)


@replaces(StylesCache, "get_inner_outer")
def _get_inner_outer(_: StylesCache, base: Color, background: Color) -> tuple[Style, Style]:
    """Cache by the colors alone.

    Textual's cache has the widget's drawn strips as part of its key: up to 1,024 widgets keep
    everything they last drew long after they were removed.
    """
    return _inner_outer(base, background)


def keep_parsed_styles(stylesheet: Stylesheet) -> None:
    """Let a style sheet remember how all its sources parse.

    Textual remembers 64: above that it parses every source again for each new kind of widget.
    """
    stylesheet._parse_cache.grow(1000)
