"""The error function, which NumPy lacks."""

from typing import Any

import numpy as np

# W. J. Cody, "Rational Chebyshev approximations for the error function", Math. Comp. 23 (1969).
_SMALL = (
    (
        1.85777706184603153e-1,
        3.16112374387056560e0,
        1.13864154151050156e2,
        3.77485237685302021e2,
        3.20937758913846947e3,
    ),
    (
        1.0,
        2.36012909523441209e1,
        2.44024637934444173e2,
        1.28261652607737228e3,
        2.84423683343917062e3,
    ),
)
_MIDDLE = (
    (
        2.15311535474403846e-8,
        5.64188496988670089e-1,
        8.88314979438837594e0,
        6.61191906371416295e1,
        2.98635138197400131e2,
        8.81952221241769090e2,
        1.71204761263407058e3,
        2.05107837782607147e3,
        1.23033935479799725e3,
    ),
    (
        1.0,
        1.57449261107098347e1,
        1.17693950891312499e2,
        5.37181101862009858e2,
        1.62138957456669019e3,
        3.29079923573345963e3,
        4.36261909014324716e3,
        3.43936767414372164e3,
        1.23033935480374942e3,
    ),
)


def erf(x: Any) -> Any:
    """erf(x) of an array, to about 1e-15 (Cody 1969); beyond |x| = 6 it is ±1 to the last bit."""
    size = np.minimum(np.abs(x), 6)
    square = size * size
    small = size * np.polyval(_SMALL[0], square) / np.polyval(_SMALL[1], square)
    tail = np.exp(-square) * np.polyval(_MIDDLE[0], size) / np.polyval(_MIDDLE[1], size)
    return (np.sign(x) * np.where(size <= 0.46875, small, 1 - tail)).astype(x.dtype)
