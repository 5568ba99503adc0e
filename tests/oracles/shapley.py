"""Shapley values of the path-dependent game of one tree, by all coalitions of its inputs."""

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


def expectation(node: Node, row: Sequence[float], coalition: frozenset[int]) -> float:
    """What a tree is expected to say where the inputs of the coalition alone are given."""
    if not node.children:
        return node.value
    if node.input in coalition:
        assert node.goes_lower is not None
        return expectation(node.children[0 if node.goes_lower(row) else 1], row, coalition)
    parts = [child.cover * expectation(child, row, coalition) for child in node.children]
    return sum(parts) / sum(child.cover for child in node.children)


def shapley(node: Node, row: Sequence[float]) -> list[float]:
    """One value for each input, and last the expectation."""
    inputs = range(len(row))
    values = []
    for one in inputs:
        others, value = [other for other in inputs if other != one], 0.0
        for size in range(len(others) + 1):
            for group in map(frozenset, combinations(others, size)):
                gain = expectation(node, row, group | {one}) - expectation(node, row, group)
                value += gain / (len(row) * comb(len(others), size))
        values.append(value)
    return [*values, expectation(node, row, frozenset())]
