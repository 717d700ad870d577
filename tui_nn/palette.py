"""Colours and markers that mean the same thing everywhere on the screen.

Palettes are lookup tables of shape (256, 3), uint8 RGB. All are safe for the colour-blind, and
whoever uses them says the same thing in text, sign or marker too.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

Palette = NDArray[np.uint8]


def _palette(*stops: tuple[int, str]) -> Palette:
    """Interpolate between (index, "#rrggbb") stops, linearly in sRGB; shape (256, 3)."""
    index = [position for position, _ in stops]
    rgb = np.array([list(bytes.fromhex(colour[1:])) for _, colour in stops], dtype=np.float64)
    table = np.stack([np.interp(np.arange(256), index, rgb[:, c]) for c in range(3)], axis=1)
    palette = np.rint(table).astype(np.uint8)
    palette.flags.writeable = False
    return palette


# Entry 128 is zero. Zero fades into the screen behind it, so there is one palette for dark themes
# and one for light ones; negative is blue and positive is orange in both.
DIVERGING_DARK: Final = _palette(
    (0, "#a5dcff"), (30, "#4fb3f6"), (75, "#1272bd"), (110, "#14344f"),
    (128, "#1c1c1e"),
    (146, "#4a2f0d"), (180, "#b4650a"), (225, "#f79c1e"), (255, "#ffd896"),
)  # fmt: skip
DIVERGING: Final = _palette(
    (0, "#08306b"), (40, "#1664ab"), (80, "#63a8da"), (112, "#cfe3f1"),
    (128, "#f5f5f3"),
    (144, "#fbdfc0"), (176, "#f4a24e"), (215, "#c96008"), (255, "#6b2c02"),
)  # fmt: skip

# Dark blue to yellow through grey, lightness rising evenly (after cividis: Nuñez, Anderton, Renslow
# 2018).
SEQUENTIAL: Final = _palette(
    (0, "#00204d"), (51, "#31446b"), (102, "#666970"), (153, "#958f78"), (204, "#cbba69"),
    (255, "#ffea46"),
)  # fmt: skip

GRAYSCALE: Final = _palette((0, "#000000"), (255, "#ffffff"))

# Okabe and Ito (2008), without black, which a dark terminal would swallow; grey takes its place.
CLASS_COLORS: Final = (
    "#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#f0e442", "#999999",
)  # fmt: skip

# One cell each, told apart without colour. Ten of them, so that marker and colour together repeat
# only after forty classes.
CLASS_MARKERS: Final = ("●", "▲", "■", "◆", "+", "×", "○", "△", "□", "◇")


def class_color(index: int) -> str:
    """Colour of class `index`, "#rrggbb"."""
    return CLASS_COLORS[index % len(CLASS_COLORS)]


def class_marker(index: int) -> str:
    """Marker of class `index`, one cell wide."""
    return CLASS_MARKERS[index % len(CLASS_MARKERS)]
