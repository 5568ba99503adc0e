"""Checks that the formats of LightGBM and XGBoost share: their loaders follow indices of a file without any check."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from nightjar.errors import ModelError


@dataclass(frozen=True)
class Shape:
    """What a stored model has to be like.

    Attributes:
        objective: that its scores were made for.
        inputs: that it takes.
        levels: of each input: of a native category, how many; 0 of a number.
        outputs: trees of a round: one for each class of several, else 1.
    """

    objective: str
    inputs: int
    levels: tuple[int, ...]
    outputs: int


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


def are_whole(numbers: Iterable[Any], least: float, greatest: float) -> bool:
    """Whether all are whole numbers within these bounds."""
    return all(type(one) is int and least <= one <= greatest for one in numbers)


def nodes_of(children: Sequence[tuple[int, ...]]) -> list[int]:
    """The nodes of a tree from its root, node 0, level by level; none if a walk may leave it or not end.

    So siblings follow each other, as XGBoost's contributions silently take for granted
    (findings/xgboost_contributions_take_siblings_for_neighbours.sh).

    Args:
        children: of each node; none of a leaf. Nodes that are not reached are no part of the tree.
    """
    reached, is_reached = [0], [False] * len(children)
    for node in reached:  # which grows
        if not 0 <= node < len(children) or is_reached[node]:
            return []
        is_reached[node] = True
        reached += children[node]
    return reached
