"""Trees of every library in one form: arrays over the nodes of all of them."""

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

import numpy as np
import numpy.typing as npt

from nightjar.errors import ModelError
from nightjar.models.boosters.lightgbm_booster import LightGbm
from nightjar.models.boosters.xgboost_booster import XgBoost
from nightjar.models.estimators.native_boosting import levels_of, order_of

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
LEAF = -1
LIGHTGBM_ZERO = float(np.float32(1e-35))
"""Of a row LightGBM keeps the numbers that are greater than this in size; the others are 0 to it."""


@dataclass(frozen=True, eq=False)
class Tree:
    """One tree. Node 0 is its root; a row goes on to the lower child where its input fulfils the node's condition.

    Attributes:
        input: of each inner node; `LEAF` of a leaf.
        threshold: the condition of a number: no greater than this.
        missing_lower: whether a row without a value goes to the lower child.
        lower, upper: the children of each inner node.
        cover: how many training rows each node stands for, by weight.
        value: of each leaf, (nodes, width).
        levels: inner node -> of each level of a native category, whether it fulfils the condition.
        output: the first of the outputs that its values are added to.
    """

    input: Sequence[int]
    threshold: Sequence[float]
    missing_lower: Sequence[bool]
    lower: Sequence[int]
    upper: Sequence[int]
    cover: Sequence[float]
    value: Floats
    levels: dict[int, Mask]
    output: int = 0

    def fulfil(self, node: int, values: Floats) -> Mask:
        """Whether values of the node's input fulfil its condition."""
        missing = self.missing_lower[node]
        if node not in self.levels:
            threshold = self.threshold[node]
            return ~(values > threshold) if missing else values <= threshold
        is_missing = np.isnan(values)
        return np.where(is_missing, missing, self.levels[node][np.where(is_missing, 0, values).astype(np.intp)])


@dataclass(frozen=True, eq=False)
class Trees:
    """A sum of trees.

    Attributes:
        trees: in any order.
        base: what is added to their sum, (outputs,).
        as_float32: whether inputs are rounded to 32 bits before they are compared.
        shift: what is taken from each input before, (inputs,); None: nothing.
        zero: numbers of this size, or a smaller one, are read as 0.
    """

    trees: Sequence[Tree]
    base: Floats
    as_float32: bool = False
    shift: Floats | None = None
    zero: float = 0.0

    def read(self, inputs: Floats) -> Floats:
        """Inputs as the conditions take them, each input's values in a row: (inputs, rows)."""
        shifted = inputs if self.shift is None else inputs - self.shift
        if self.as_float32:
            shifted = shifted.astype(np.float32)
        if self.zero:
            shifted = np.where(np.abs(shifted) <= self.zero, 0.0, shifted)
        return np.ascontiguousarray(shifted.T, dtype=np.float64)


def trees_of_lightgbm(booster: LightGbm) -> Trees:
    """The trees of a booster of LightGBM, from its text, which is checked as it is opened.

    Raises:
        ModelError: a node takes zeros for missing values.
    """
    blocks = re.split(r"\n+(?=Tree=)", booster.model_.decode("ascii").partition("\nend of trees\n")[0])[1:]
    lines = [dict(line.split("=", 1) for line in block.split("\n") if line) for block in blocks]
    sizes = booster.levels or (0,) * booster.inputs_
    trees = [_lightgbm_tree(one, sizes, number % booster.outputs_) for number, one in enumerate(lines)]
    return Trees(trees, np.zeros(booster.outputs_), zero=LIGHTGBM_ZERO)


def _lightgbm_tree(lines: dict[str, str], sizes: Sequence[int], output: int) -> Tree:
    leaves = int(lines["num_leaves"])
    inner = leaves - 1

    def numbers(key: str, kind: type[Any] = int) -> list[Any]:
        return [kind(text) for text in lines.get(key, "").split()]

    def padded(values: Iterable[Any]) -> list[Any]:
        return [*values, *[0] * leaves]

    decision, threshold, inputs = numbers("decision_type"), numbers("threshold", float), numbers("split_feature")
    is_set = [bool(one & 1) for one in decision]
    if any((one >> 2) & 3 == 1 for one in decision):
        raise ModelError("A LightGBM model that takes zeros for missing values has no exact contributions.")
    ends, words = numbers("cat_boundaries") if any(is_set) else [0], numbers("cat_threshold")
    levels = {
        node: _bits(words[ends[int(threshold[node])] : ends[int(threshold[node]) + 1]], sizes[inputs[node]])
        for node in range(inner)
        if is_set[node]
    }
    # Without a direction of its own, a missing value is compared as 0; no set of levels has it.
    has_direction = [(one >> 2) & 3 == 2 for one in decision]
    default = [bool(one & 2) for one in decision]
    missing = [
        not is_set[node] and (default[node] if has_direction[node] else threshold[node] >= 0) for node in range(inner)
    ]
    lower, upper = (
        padded(child if child >= 0 else inner + ~child for child in numbers(key))
        for key in ("left_child", "right_child")
    )
    return Tree(
        [*inputs, *[LEAF] * leaves],
        padded(threshold),
        padded(missing),
        lower,
        upper,
        [*numbers("internal_count", float), *numbers("leaf_count", float)],
        np.array([*[0.0] * inner, *numbers("leaf_value", float)])[:, np.newaxis],
        levels,
        output,
    )


def _bits(words: Sequence[int], count: int) -> Mask:
    """Of each level whether its bit is set."""
    bits = np.unpackbits(np.array(words, dtype="<u4").view(np.uint8), bitorder="little")
    return np.pad(bits, (0, max(0, count - len(bits))))[:count].astype(bool)


def trees_of_xgboost(booster: XgBoost) -> Trees:
    """The trees of a booster of XGBoost, from its JSON, which is checked as it is opened."""
    learner = json.loads(booster.model_)["learner"]
    base = np.array(json.loads(learner["learner_model_param"]["base_score"]), dtype=np.float64)
    if booster.objective == "binary:logistic":
        base = np.log(base / (1 - base))
    sizes = booster.levels or (0,) * booster.inputs_
    parts = learner["gradient_booster"]["model"]["trees"]
    trees = [_xgboost_tree(one, sizes, number % booster.outputs_) for number, one in enumerate(parts)]
    return Trees(trees, base, as_float32=True, shift=booster.shift_)


def _xgboost_tree(part: dict[str, Any], sizes: Sequence[int], output: int) -> Tree:
    is_leaf = np.array(part["left_children"]) < 0
    inputs, numbers = part["split_indices"], np.array(part["split_conditions"], dtype=np.float32)
    levels = {}
    ends = [0, *accumulate(part["categories_sizes"])]
    for place, node in enumerate(part["categories_nodes"]):
        levels[node] = np.ones(sizes[inputs[node]], dtype=bool)
        levels[node][part["categories"][ends[place] : ends[place + 1]]] = False
    return Tree(
        np.where(is_leaf, LEAF, inputs).tolist(),
        np.nextafter(numbers, np.float32(-np.inf)).astype(np.float64).tolist(),  # it is "less than" there
        [bool(one) for one in part["default_left"]],
        part["left_children"],
        part["right_children"],
        part["sum_hessian"],
        np.where(is_leaf, numbers, 0)[:, np.newaxis].astype(np.float64),
        levels,
        output,
    )


def trees_of_boosting(estimator: Any) -> Trees:
    """The trees of scikit-learn's histogram boosting."""
    trees, order, sizes = [], np.array(order_of(estimator), dtype=np.intp), levels_of(estimator)
    for of_round in estimator._predictors:  # noqa: SLF001  (the class has no public form of its trees)
        for output, predictor in enumerate(of_round):
            nodes = predictor.nodes
            of_nodes = {name: nodes[name].tolist() for name in nodes.dtype.names}
            is_leaf = nodes["is_leaf"].astype(bool)
            levels = {
                int(node): _bits(
                    predictor.raw_left_cat_bitsets[nodes["bitset_idx"][node]], sizes[nodes["feature_idx"][node]]
                )
                for node in np.flatnonzero(~is_leaf & nodes["is_categorical"].astype(bool))
            }
            trees.append(
                Tree(
                    np.where(is_leaf, LEAF, order[nodes["feature_idx"]]).tolist(),
                    of_nodes["num_threshold"],
                    of_nodes["missing_go_to_left"],
                    of_nodes["left"],
                    of_nodes["right"],
                    of_nodes["count"],
                    nodes["value"][:, np.newaxis],
                    levels,
                    output,
                )
            )
    return Trees(trees, np.ravel(estimator._baseline_prediction).astype(np.float64))  # noqa: SLF001


def trees_of_forest(estimator: Any) -> Trees:
    """The trees of a forest, or a single one; their sum is the mean value, or probability: of two classes, of True."""
    members = getattr(estimator, "estimators_", [estimator])
    trees = [_sklearn_tree(member.tree_, _mean_values(member) / len(members)) for member in members]
    return Trees(trees, np.zeros(trees[0].value.shape[1]), as_float32=True)


def _mean_values(member: Any) -> Floats:
    """The mean label of each node, or the shares of the classes there."""
    value: Floats = member.tree_.value[:, 0, :]
    if not hasattr(member, "classes_"):
        return value
    shares: Floats = value / value.sum(axis=1, keepdims=True)
    return shares[:, 1:] if shares.shape[1] == 2 else shares


def _sklearn_tree(tree: Any, value: Floats) -> Tree:
    return Tree(
        np.where(tree.children_left < 0, LEAF, tree.feature).tolist(),
        tree.threshold.tolist(),
        tree.missing_go_to_left.astype(bool).tolist(),
        tree.children_left.tolist(),
        tree.children_right.tolist(),
        tree.weighted_n_node_samples.tolist(),
        value,
        {},
    )
