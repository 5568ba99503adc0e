"""Checks that the formats of LightGBM and XGBoost share: their loaders follow indices of a file without any check."""

import math
from collections.abc import Iterable, Sequence

from nightjar.errors import ModelError


def require(name: str, what: str, *, holds: bool) -> None:
    """Refuse a file that is not as ours are.

    Args:
        name: of the file.
        what: is expected of it.
        holds: whether that is so.

    Raises:
        ModelError: it is not.
    """
    if not holds:
        raise ModelError(f"{name} is not a model of ours: {what}.")


def are_finite(numbers: Iterable[float]) -> bool:
    """Whether none is NaN or infinite."""
    return all(map(math.isfinite, numbers))


def nodes_of(children: Sequence[tuple[int, ...]]) -> list[int]:
    """The nodes of a tree in the order of a walk from its root, node 0; none if a walk may leave it or not end.

    Args:
        children: of each node; none of a leaf. Nodes that are not reached are no part of the tree.
    """
    reached, waiting, is_reached = list[int](), [0], [False] * len(children)
    while waiting:
        node = waiting.pop()
        if not 0 <= node < len(children) or is_reached[node]:
            return []
        is_reached[node] = True
        reached.append(node)
        waiting += reversed(children[node])
    return reached
