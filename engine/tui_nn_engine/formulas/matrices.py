"""What is said of a matrix as a whole."""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def spectral_radius(matrix: NDArray[Any]) -> float:
    """The largest |eigenvalue| of a square matrix (n, n): by what its powers grow or shrink in the
    long run (Golub & Van Loan, Matrix Computations, 2013, sec. 7.1). Raises ValueError.
    """
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
        raise ValueError(f"spectral_radius needs a square matrix (has the shape {matrix.shape})")
    return float(np.abs(np.linalg.eigvals(matrix)).max())
