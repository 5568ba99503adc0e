"""Shapley values by all coalitions, and the path-dependent game of one tree."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import comb


@dataclass
class Node:
    """An inner node, or a leaf with a value.

    Attributes:
        cover: how many training rows it stands for.
        goes_lower: of an inner node: whether a row goes to its first child.
    """

    cover: float
    value: float = 0.0
    input: int = -1
    goes_lower: Callable[[Sequence[float]], bool] | None = None
    children: tuple["Node", ...] = ()


def expectation(node: Node, row: Sequence[float], coalition: frozenset[int], players: Sequence[int]) -> float:
    """What a tree is expected to say where the inputs of the coalition's players alone are given."""
    if not node.children:
        return node.value
    if players[node.input] in coalition:
        assert node.goes_lower is not None
        return expectation(node.children[0 if node.goes_lower(row) else 1], row, coalition, players)
    parts = [child.cover * expectation(child, row, coalition, players) for child in node.children if child.cover]
    return sum(parts) / sum(child.cover for child in node.children)


def shapley(players: int, worth: Callable[[frozenset[int]], float]) -> list[float]:
    """One value for each player, and last what the empty coalition is worth."""
    worths = {
        frozenset(group): worth(frozenset(group))
        for size in range(players + 1)
        for group in combinations(range(players), size)
    }
    values = []
    for one in range(players):
        without = [group for group in worths if one not in group]
        values.append(
            sum(
                (worths[group | {one}] - worths[group]) / (players * comb(players - 1, len(group))) for group in without
            )
        )
    return [*values, worths[frozenset()]]
