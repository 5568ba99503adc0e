"""XGBoost's JSON of a model, checked whole and written anew: its loader parses nothing but what is checked."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from nightjar.errors import ModelError
from nightjar.models.boosters.trees import nodes_of, require

_OF_NODES = ("default_left", "left_children", "right_children", "split_conditions", "split_indices", "split_type")
_NO_PARENT = 2**31 - 1
_LARGEST = 3.4028234663852886e38  # of 32 bits


def checked(content: bytes, objective: str, inputs: int, name: str) -> bytes:
    """The model in a file, written anew from what was checked.

    Args:
        content: of the file, as XGBoost writes it or as this has returned it.
        objective: that its scores were made for.
        inputs: that the model takes.
        name: of the file, for errors.

    Raises:
        ModelError: it is no such model of so many inputs, or a tree leads outside of itself or of a row.
    """
    try:
        model = json.loads(content)
        learner = model["learner"]
        parameters, booster = learner["learner_model_param"], learner["gradient_booster"]
        stated, trees = learner["objective"]["name"], booster["model"]["trees"]
        (base_score,) = json.loads(parameters["base_score"])
        written = [_tree(tree, number, inputs, name) for number, tree in enumerate(trees)]
        kind, features, version = booster["name"], parameters["num_feature"], model["version"]
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError) as error:
        raise ModelError(f"{name} is not a model of ours: {error!r}.") from error
    require(name, f"it is a {kind}, expected gbtree", holds=kind == "gbtree")
    require(name, f"it takes {features} inputs, expected {inputs}", holds=features == str(inputs))
    require(name, f"its objective is {stated!r}, expected {objective!r}", holds=stated == objective)
    is_base = _are_numbers([base_score]) and (objective != "binary:logistic" or 0 < base_score < 1)
    require(name, f"its base score is {base_score!r}", holds=is_base)
    is_version = isinstance(version, list) and len(version) == 3 and _are_whole(version, 0, 1_000)
    require(name, f"its version is {version!r}", holds=is_version)
    anew = {
        "learner": {
            "attributes": {},
            "feature_names": [],
            "feature_types": [],
            "gradient_booster": {
                "model": {
                    "cats": {"enc": [], "feature_segments": [], "sorted_idx": []},
                    "gbtree_model_param": {"num_parallel_tree": "1", "num_trees": str(len(written))},
                    "iteration_indptr": list(range(len(written) + 1)),
                    "tree_info": [0] * len(written),
                    "trees": written,
                },
                "name": "gbtree",
            },
            "learner_model_param": {
                "base_score": f"[{base_score!r}]",
                "boost_from_average": "1",
                "num_class": "0",
                "num_feature": str(inputs),
                "num_target": "1",
            },
            "objective": {"name": objective, "reg_loss_param": {"scale_pos_weight": "1"}},
        },
        "version": version,
    }
    return json.dumps(anew, separators=(",", ":"), allow_nan=False).encode("ascii")


def _tree(tree: Mapping[str, Any], number: int, inputs: int, name: str) -> dict[str, Any]:
    """One tree as it is written anew, without the nodes that were pruned."""
    where, lists = f"tree {number}", {key: tree[key] for key in _OF_NODES}
    nodes = len(lists["left_children"])
    alike = all(isinstance(one, list) and len(one) == nodes for one in lists.values())
    require(name, f"{where} has lists of different lengths", holds=alike and nodes >= 1)
    lower, upper = lists["left_children"], lists["right_children"]
    are_places = _are_whole(lower, -1, nodes - 1) and _are_whole(upper, -1, nodes - 1)
    reached = nodes_of([_children(*pair) for pair in zip(lower, upper, strict=True)]) if are_places else []
    require(name, f"{where} leads outside of itself", holds=bool(reached))
    parts = {key: [values[node] for node in reached] for key, values in lists.items()}
    require(name, f"{where} reads no input", holds=_are_whole(parts["split_indices"], 0, inputs - 1))
    numerical = _are_whole(parts["default_left"], 0, 1) and _are_whole(parts["split_type"], 0, 0)
    require(name, f"{where} has splits of another kind", holds=numerical)
    require(name, f"{where} holds a number that is not finite", holds=_are_numbers(parts["split_conditions"]))
    place_of = {node: place for place, node in enumerate(reached)} | {-1: -1}
    children = {key: [place_of[node] for node in parts[key]] for key in ("left_children", "right_children")}
    parent_of = {child: parent for key in children for parent, child in enumerate(children[key])}
    zeros = [0.0] * len(reached)
    return {
        **parts,
        **children,
        "base_weights": zeros,
        "categories": [],
        "categories_nodes": [],
        "categories_segments": [],
        "categories_sizes": [],
        "id": number,
        "loss_changes": zeros,
        "parents": [_NO_PARENT, *(parent_of[place] for place in range(1, len(reached)))],
        "sum_hessian": zeros,
        "tree_param": {
            "num_deleted": "0",
            "num_feature": str(inputs),
            "num_nodes": str(len(reached)),
            "size_leaf_vector": "1",
        },
    }


def _children(lower: int, upper: int) -> tuple[int, ...]:
    """Of a node: both, or none of a leaf. One alone leads outside."""
    return () if lower == upper == -1 else (lower, upper)


def _are_whole(numbers: Sequence[Any], least: int, greatest: int) -> bool:
    return all(type(one) is int and least <= one <= greatest for one in numbers)


def _are_numbers(numbers: Sequence[Any]) -> bool:
    """Whether all are numbers of 32 bits; NaN is not below the largest."""
    return all(type(one) in (int, float) and abs(one) <= _LARGEST for one in numbers)
