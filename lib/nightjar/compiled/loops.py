"""How a loop is compiled: by Numba, with the arithmetic as it is written, so that results equal those of plain code."""

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

Loop = TypeVar("Loop", bound=Callable[..., Any])


def compiled(loop: Loop) -> Loop:
    """A function of arrays and numbers, compiled when it is first called with arguments of some types.

    What was compiled lies beside the bytecode of its module, or in the user's cache, for the processes after this one.
    Sums keep their order and nothing is fused or approximated: `fastmath` stays off.
    """
    options: dict[str, Any] = {"nogil": True, "error_model": "numpy"}
    try:
        return cast("Loop", numba.njit(cache=True, **options)(loop))
    except RuntimeError:  # there is no place for a cache, as on executors that import the package from an archive
        return cast("Loop", numba.njit(**options)(loop))
