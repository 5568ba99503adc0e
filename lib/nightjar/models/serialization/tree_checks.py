"""Checks of decision trees from a file, because scikit-learn follows their indices without any check."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.ensemble._hist_gradient_boosting.predictor import TreePredictor
from sklearn.tree._tree import Tree

from nightjar.errors import ModelError
from nightjar.models.estimators.native_boosting import MOST_LEVELS, order_of

LEAF = -1
"""scikit-learn's child index of leaves."""


def require_sound_trees(part: object, name: str) -> None:
    """Check that the children of each node of each tree are later nodes, and that it reads an existing input.

    So a walk through a tree ends, and stays within the tree and the row. Of native categories, also that each set of
    levels is there, and that there are as many levels as a set has bits.

    Raises:
        ModelError: one does not.
    """
    for tree, owner in _trees(part, None, set()):
        sound = _is_sound(tree, _inputs(owner)) if isinstance(tree, Tree) else _is_sound_predictor(tree, owner)
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


def _is_sound_predictor(tree: Any, owner: Any) -> bool:
    nodes, inputs, categories = tree.nodes, _inputs(owner), _categories(owner)
    if categories is None:
        return False
    node, feature, sets = np.arange(len(nodes)), nodes["feature_idx"], tree.raw_left_cat_bitsets
    inner = _leads_on(nodes["left"], node) & _leads_on(nodes["right"], node) & (feature >= 0) & (feature < inputs)
    is_set = nodes["is_categorical"] != 0
    has_set = (feature < categories) & (nodes["bitset_idx"] < len(sets)) & (sets.shape[1:] == (8,))
    sound = inner & np.where(is_set, has_set & (sets.dtype == np.uint32), feature >= categories)
    return bool(len(node) and (nodes["is_leaf"].astype(bool) | sound).all())


def _categories(owner: Any) -> int | None:
    """How many native categories boosting reads, before all numbers; None: what it says of them does not fit together.

    scikit-learn writes the levels into sets of 256 bits without a check whenever it predicts.
    """
    mapper, inputs = owner._bin_mapper, _inputs(owner)  # noqa: SLF001
    is_category = np.asarray(mapper.is_categorical_, dtype=bool)
    count = int(is_category.sum())
    values = mapper.bin_thresholds_
    fits = is_category.shape == (inputs,) and is_category[:count].all() and len(values) == inputs
    if not fits or not all(np.array_equal(one, np.arange(len(one))) for one in values[:count]):
        return None
    if any(len(one) > MOST_LEVELS for one in values[:count]):
        return None
    order = order_of(owner)
    return count if sorted(order) == list(range(inputs)) else None


def _inputs(owner: Any) -> int:
    """The inputs of the estimator that holds a tree; 0: it does not say."""
    inputs = getattr(owner, "n_features_in_", 0)
    return inputs if isinstance(inputs, int) else 0


def _leads_on(child: npt.NDArray[Any], node: npt.NDArray[np.intp]) -> npt.NDArray[np.bool_]:
    return np.asarray((child > node) & (child < len(node)))


def _trees(part: Any, owner: Any, seen: set[int]) -> Iterator[tuple[Any, Any]]:
    """Every tree inside a fitted part, with the estimator that holds it: the nearest one that says its inputs."""
    if isinstance(part, Tree | TreePredictor):
        yield part, owner
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
        children, owner = vars(part).values(), part if hasattr(part, "n_features_in_") else owner
    for child in children:
        yield from _trees(child, owner, seen)
