"""Checks of decision trees from a file, because scikit-learn follows their indices without any check."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.ensemble._hist_gradient_boosting.predictor import TreePredictor
from sklearn.tree._tree import Tree

from nightjar.errors import ModelError

LEAF = -1
"""scikit-learn's child index of leaves."""


def require_sound_trees(part: object, name: str) -> None:
    """Check that the children of each node of each tree are later nodes, and that it reads an existing input.

    So a walk through a tree ends, and stays within the tree and the row.

    Raises:
        ModelError: one does not.
    """
    for tree, inputs in _trees(part, 0, set()):
        sound = _is_sound(tree, inputs) if isinstance(tree, Tree) else _is_sound_predictor(tree, inputs)
        if not sound:
            raise ModelError(
                f"{name} holds a tree with nodes that lead outside of it, or read no input: not one of ours."
            )


def _is_sound(tree: Any, inputs: int) -> bool:
    lower, upper = tree.children_left, tree.children_right
    node = np.arange(tree.node_count)
    leaf = lower == LEAF
    inner = _leads_on(lower, node) & _leads_on(upper, node) & (tree.feature >= 0) & (tree.feature < inputs)
    return bool(len(node) and tree.n_features == inputs and np.where(leaf, upper == LEAF, inner).all())


def _is_sound_predictor(tree: Any, inputs: int) -> bool:
    nodes = tree.nodes
    node = np.arange(len(nodes))
    feature = nodes["feature_idx"]
    inner = _leads_on(nodes["left"], node) & _leads_on(nodes["right"], node) & (feature >= 0) & (feature < inputs)
    # Our trees have no splits by category, whose bit sets would be read without a check as well.
    return bool(len(node) and (nodes["is_leaf"].astype(bool) | (inner & (nodes["is_categorical"] == 0))).all())


def _leads_on(child: npt.NDArray[Any], node: npt.NDArray[np.intp]) -> npt.NDArray[np.bool_]:
    return np.asarray((child > node) & (child < len(node)))


def _trees(part: Any, inputs: int, seen: set[int]) -> Iterator[tuple[Any, int]]:
    """Every tree inside a fitted part, with the number of inputs of the estimator that holds it."""
    if isinstance(part, Tree | TreePredictor):
        yield part, inputs
        return
    if id(part) in seen or (isinstance(part, np.ndarray) and part.dtype != object):
        return
    seen.add(id(part))
    children: Any = ()
    if isinstance(part, dict):
        children = part.values()
    elif isinstance(part, list | tuple | np.ndarray):
        children = list(part.flat) if isinstance(part, np.ndarray) else part
    elif hasattr(part, "__dict__"):
        own_inputs = getattr(part, "n_features_in_", inputs)
        children, inputs = vars(part).values(), own_inputs if isinstance(own_inputs, int) else 0
    for child in children:
        yield from _trees(child, inputs, seen)
