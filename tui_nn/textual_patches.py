"""Faults of Textual that the app works around, and its private members that the app uses.

Tried with Textual 8.2.4 to 8.2.8. Importing this module applies the patches.
"""

from functools import lru_cache

from textual._styles_cache import StylesCache
from textual.color import Color
from textual.css.stylesheet import Stylesheet
from textual.style import Style

_STYLE_SHEETS = 1000


@lru_cache(1024)
def _inner_outer(base_background: Color, background: Color) -> tuple[Style, Style]:
    return Style(background=base_background + background), Style(background=base_background)


def _get_inner_outer(_: StylesCache, base: Color, background: Color) -> tuple[Style, Style]:
    return _inner_outer(base, background)


# Textual caches this method with the widget's cache of strips as part of the key: up to 1,024
# widgets keep everything they last drew long after they were removed.
StylesCache.get_inner_outer = _get_inner_outer  # type: ignore[assignment,method-assign]


def keep_parsed_styles(stylesheet: Stylesheet) -> None:
    """Let a style sheet remember how all its sources parse.

    Textual remembers 64: above that it parses every source again for each new kind of widget.
    """
    stylesheet._parse_cache.grow(_STYLE_SHEETS)
