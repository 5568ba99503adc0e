"""Arrays of instants and dates, one entry for each row."""

import numpy as np
import numpy.typing as npt

Instants = npt.NDArray[np.datetime64]
"""Instants (UTC, microseconds)."""
Days = npt.NDArray[np.datetime64]
"""Local dates."""


def microseconds(instants: Instants) -> npt.NDArray[np.int64]:
    """Instants as whole microseconds since 1970."""
    return instants.astype("datetime64[us]").astype(np.int64)
