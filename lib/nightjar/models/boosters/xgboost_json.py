"""XGBoost's JSON of a model, checked whole and written anew: its loader parses nothing but what is checked."""

import json
from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import Any

from nightjar.errors import ModelError
from nightjar.models.boosters.trees import Shape, are_whole, nodes_of, require

_OF_NODES = (
    *("default_left", "left_children", "right_children", "split_conditions", "split_indices", "split_type"),
    "sum_hessian",
)
_DECIMALS = ("split_conditions", "sum_hessian")
_NO_PARENT = 2**31 - 1
_LARGEST = 3.4028234663852886e38  # of 32 bits


def checked(content: bytes, shape: Shape, name: str) -> bytes:
    """The model in a file, written anew from what was checked.

    Args:
        content: of the file, as XGBoost writes it or as this has returned it.
        shape: that it has.
        name: of the file, for errors.

    Raises:
        ModelError: it is no model of this shape, or a tree leads outside of itself, of a row or of a set of levels.
    """
    objective, inputs, outputs = shape.objective, shape.inputs, shape.outputs
    try:
        model = json.loads(content)
        learner = model["learner"]
        parameters, booster = learner["learner_model_param"], learner["gradient_booster"]
        stated, trees = learner["objective"]["name"], booster["model"]["trees"]
        base_score, order = json.loads(parameters["base_score"]), booster["model"]["tree_info"]
        written = [_tree(tree, number, shape.levels, name) for number, tree in enumerate(trees)]
        kind, features, version = booster["name"], parameters["num_feature"], model["version"]
    except (AttributeError, IndexError, KeyError, TypeError, ValueError, RecursionError) as error:
        raise ModelError(f"{name} is not a model of ours: {error!r}.") from error
    require(name, f"it is a {kind}, expected gbtree", holds=kind == "gbtree")
    require(name, f"it takes {features} inputs, expected {inputs}", holds=features == str(inputs))
    require(name, f"its objective is {stated!r}, expected {objective!r}", holds=stated == objective)
    is_base = isinstance(base_score, list) and len(base_score) == outputs and _are_numbers(base_score)
    is_base = is_base and (objective != "binary:logistic" or 0 < base_score[0] < 1)
    require(name, f"its base score is {base_score!r}", holds=is_base)
    rounds = [place % outputs for place in range(len(written))]
    are_rounds = order == rounds and len(written) % outputs == 0
    require(name, f"its {len(written)} trees are no rounds of {outputs}", holds=are_rounds)
    is_version = isinstance(version, list) and len(version) == 3 and are_whole(version, 0, 1_000)
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
                    "iteration_indptr": list(range(0, len(written) + 1, outputs)),
                    "tree_info": rounds,
                    "trees": written,
                },
                "name": "gbtree",
            },
            "learner_model_param": {
                "base_score": json.dumps(base_score),
                "boost_from_average": "1",
                "num_class": str(outputs) if outputs > 1 else "0",
                "num_feature": str(inputs),
                "num_target": "1",
            },
            "objective": {"name": objective, **_objective_parameters(shape)},
        },
        "version": version,
    }
    return json.dumps(anew, separators=(",", ":"), allow_nan=False).encode("ascii")


def _objective_parameters(shape: Shape) -> dict[str, Any]:
    if shape.objective == "multi:softprob":
        return {"softmax_multiclass_param": {"num_class": str(shape.outputs)}}
    return {"reg_loss_param": {"scale_pos_weight": "1"}}


def _tree(tree: Mapping[str, Any], number: int, levels: Sequence[int], name: str) -> dict[str, Any]:
    """One tree as it is written anew, without the nodes that were pruned."""
    where, lists = f"tree {number}", {key: tree[key] for key in _OF_NODES}
    nodes = len(lists["left_children"])
    alike = all(isinstance(one, list) and len(one) == nodes for one in lists.values())
    require(name, f"{where} has lists of different lengths", holds=alike and nodes >= 1)
    lower, upper = lists["left_children"], lists["right_children"]
    are_places = are_whole([*lower, *upper], -1, nodes - 1)
    reached = nodes_of([_children(*pair) for pair in zip(lower, upper, strict=True)]) if are_places else []
    require(name, f"{where} leads outside of itself", holds=bool(reached))
    parts: dict[str, Any] = {key: [values[node] for node in reached] for key, values in lists.items()}
    require(name, f"{where} reads no input", holds=are_whole(parts["split_indices"], 0, len(levels) - 1))
    are_kinds = are_whole([*parts["default_left"], *parts["split_type"]], 0, 1)
    require(name, f"{where} has splits of another kind", holds=are_kinds)
    are_numbers = _are_numbers([one for key in _DECIMALS for one in parts[key]]) and min(parts["sum_hessian"]) >= 0
    require(name, f"{where} holds a number that is not finite", holds=are_numbers)
    parts |= {key: list(map(float, parts[key])) for key in _DECIMALS}
    place_of = {node: place for place, node in enumerate(reached)} | {-1: -1}
    children = {key: [place_of[node] for node in parts[key]] for key in ("left_children", "right_children")}
    parent_of = {child: parent for key in children for parent, child in enumerate(children[key])}
    sets = _sets(tree, f"{name}: {where}")
    _require_kinds({**parts, **children}, [sets.get(node, []) for node in reached], levels, f"{name}: {where}")
    zeros = [0.0] * len(reached)
    return {
        **parts,
        **children,
        **_written_sets([(place, sets[node]) for place, node in enumerate(reached) if node in sets]),
        "base_weights": zeros,
        "id": number,
        "loss_changes": zeros,
        "parents": [_NO_PARENT, *(parent_of[place] for place in range(1, len(reached)))],
        "tree_param": {
            "num_deleted": "0",
            "num_feature": str(len(levels)),
            "num_nodes": str(len(reached)),
            "size_leaf_vector": "1",
        },
    }


def _sets(tree: Mapping[str, Any], where: str) -> dict[int, list[int]]:
    """Node -> the levels that go to its right child."""
    nodes, starts, sizes, levels = (tree[f"categories{part}"] for part in ("_nodes", "_segments", "_sizes", ""))
    alike = all(isinstance(one, list) and are_whole(one, 0, 2**31 - 1) for one in (nodes, starts, sizes, levels))
    require(where, "its sets of levels are no lists of whole numbers", holds=alike)
    alike = len(nodes) == len(starts) == len(sizes) and len({*nodes}) == len(nodes)
    require(where, "its sets of levels are not one for a node", holds=alike)
    ends = [*accumulate(sizes)]
    alike = starts == [0, *ends][: len(sizes)] and len(levels) == (ends[-1] if ends else 0)
    require(where, "its sets of levels do not follow each other", holds=alike)
    return {node: levels[start:end] for node, start, end in zip(nodes, starts, ends, strict=True)}


def _require_kinds(
    parts: Mapping[str, list[Any]], sets: Sequence[Sequence[int]], levels: Sequence[int], where: str
) -> None:
    """Check that inner nodes part numbers by numbers and categories by sets of their levels, and leaves have none."""
    keys = ("left_children", "split_indices", "split_type")
    for child, index, kind, own in zip(*(parts[key] for key in keys), sets, strict=True):
        greatest = levels[index] - 1 if child >= 0 else -1
        require(where, "it has splits of another kind", holds=kind == int(greatest >= 0) == int(bool(own)))
        is_set = are_whole(own, 0, greatest) and len({*own}) == len(own)
        require(where, f"a set has levels that are none of {greatest + 1}", holds=is_set)


def _written_sets(sets: Sequence[tuple[int, list[int]]]) -> dict[str, list[int]]:
    sizes = [len(levels) for _, levels in sets]
    return {
        "categories": [one for _, levels in sets for one in levels],
        "categories_nodes": [place for place, _ in sets],
        "categories_segments": [0, *accumulate(sizes)][: len(sizes)],
        "categories_sizes": sizes,
    }


def _children(lower: int, upper: int) -> tuple[int, ...]:
    """Of a node: both, or none of a leaf. One alone leads outside."""
    return () if lower == upper == -1 else (lower, upper)


def _are_numbers(numbers: Sequence[Any]) -> bool:
    """Whether all are numbers of 32 bits; NaN is not below the largest."""
    return all(type(one) in (int, float) and abs(one) <= _LARGEST for one in numbers)
