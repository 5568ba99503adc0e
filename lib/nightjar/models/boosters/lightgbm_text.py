"""LightGBM's text of a model, read by a grammar of ours and written anew: its loader parses only what is checked.

Of a model, only what scores and their contributions need is stored: its trees, the rows of their nodes, and what the
scores mean.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from nightjar.errors import ModelError
from nightjar.models.boosters.trees import Shape, are_finite, are_whole, nodes_of, require

_OBJECTIVES = {"binary": "binary sigmoid:1", "regression": "regression", "multiclass": "multiclass num_class:{}"}
_OF_INNER = {"split_feature": int, "threshold": float, "decision_type": int, "left_child": int, "right_child": int}
_COUNTS = ("internal_count", "leaf_count")
_OF_INNER_UNUSED = ("split_gain", "internal_value", "internal_weight")
_DECISIONS = {kind << 2 | default << 1 for kind in range(3) for default in range(2)}
"""What a node does: two bits say which values are missing (none, zero or NaN), one where they go."""
_CATEGORICAL = 1
"""The bit of a node that parts a set of levels from the others."""
_WHOLE = re.compile(r"-?[1-9][0-9]{0,9}|0")
_MOST_ROWS, _MOST_WORD = 2**31 - 1, 2**32 - 1
_DECIMAL = re.compile(r"-?[0-9]{1,400}(?:\.[0-9]{1,400})?(?:[eE][+-]?[0-9]{1,3})?|inf")
"""Infinite is the threshold that parts missing values from all others."""
END = "end of trees"


def checked(content: bytes, shape: Shape, name: str) -> bytes:
    """The model in a file, written anew from what was checked.

    Args:
        content: of the file, as LightGBM writes it or as this has returned it.
        shape: that it has.
        name: of the file, for errors.

    Raises:
        ModelError: it is no model of this shape, or a tree leads outside of itself, of a row or of a set of levels.
    """
    try:
        text = content.decode("ascii")
    except UnicodeDecodeError as error:
        raise ModelError(f"{name} is not a model of ours: it is no ASCII text.") from error
    body, end, _ = text.partition(f"\n{END}\n")
    require(name, f"it has no line {END!r}", holds=bool(end))
    header, *trees = re.split(r"\n+(?=Tree=)", body)
    expected = _header(shape)
    stated = _lines(header.removeprefix("tree\n"), name)
    for key, value in expected.items():
        require(name, f"{key} is {stated.get(key)!r}, expected {value!r}", holds=stated.get(key) == value)
    are_rounds = len(trees) % shape.outputs == 0
    require(name, f"{len(trees)} trees are no rounds of {shape.outputs}", holds=are_rounds)
    written = [_tree(tree, number, shape.levels, name) for number, tree in enumerate(trees)]
    columns = " ".join(f"Column_{number}" for number in range(shape.inputs))
    lines = [
        "tree",
        *(f"{key}={value}" for key, value in expected.items()),
        f"feature_names={columns}",
        f"feature_infos={' '.join(['none'] * shape.inputs)}",
        f"tree_sizes={' '.join(str(len(tree)) for tree in written)}",
        "",
        "",
    ]
    return ("\n".join(lines) + "".join(written) + f"{END}\n").encode("ascii")


def _header(shape: Shape) -> dict[str, str]:
    return {
        "version": "v4",
        "num_class": str(shape.outputs),
        "num_tree_per_iteration": str(shape.outputs),
        "label_index": "0",
        "max_feature_idx": str(shape.inputs - 1),
        "objective": _OBJECTIVES[shape.objective].format(shape.outputs),
    }


def _lines(text: str, name: str) -> dict[str, str]:
    """The lines `key=value` of a block."""
    lines = dict[str, str]()
    for line in text.split("\n"):
        key, sign, value = line.partition("=")
        require(name, f"it has the line {line[:40]!r}", holds=not line or (bool(sign) and key not in lines))
        lines[key] = value
    return lines


def _tree(text: str, number: int, levels: tuple[int, ...], name: str) -> str:
    """One tree as it is written anew."""
    lines, where, own = _lines(text, name), f"tree {number}", f"{name}: tree {number}"
    fixed = {"Tree": str(number), "is_linear": "0"}
    for key, value in fixed.items():
        require(name, f"{where}: {key} is {lines.get(key)!r}, expected {value!r}", holds=lines.get(key) == value)
    leaves, sets = (int(_numbers(lines, key, int, 1, own)[0]) for key in ("num_leaves", "num_cat"))
    require(name, f"{where} has {leaves} leaves and {sets} sets of levels", holds=leaves >= 1 and sets >= 0)
    inner = {key: _numbers(lines, key, kind, leaves - 1, own) for key, kind in _OF_INNER.items()}
    values = _numbers(lines, "leaf_value", float, leaves, own)
    require(name, f"{where} holds a number that is not finite", holds=are_finite(values))
    require(name, f"{where} reads no input", holds=are_whole(inner["split_feature"], 0, len(levels) - 1))
    of_sets = _sets(lines, sets, own)
    _require_splits(inner, of_sets["cat_boundaries"], levels, name, where)
    children = list(_children(inner["left_child"], inner["right_child"], leaves))
    require(name, f"{where} leads outside of itself", holds=len(nodes_of(children)) == len(children))
    counts = [_numbers(lines, key, int, places, own) for key, places in zip(_COUNTS, (leaves - 1, leaves), strict=True)]
    require(name, f"{where} has rows below 0", holds=all(are_whole(one, 0, _MOST_ROWS) for one in counts))
    parts = {key: lines[key] for key in ("num_leaves", "num_cat", *_OF_INNER, "leaf_value", *_COUNTS)}
    parts |= {key: lines[key] for key in of_sets if sets}
    unused = {key: " ".join(["0"] * (leaves - 1)) for key in _OF_INNER_UNUSED}
    unused["leaf_weight"] = " ".join(["0"] * leaves)
    written = {"Tree": str(number), **parts, **unused, "is_linear": "0", "shrinkage": "1"}
    return "".join(f"{key}={value}\n" for key, value in written.items()) + "\n\n"


def _sets(lines: Mapping[str, str], sets: int, where: str) -> dict[str, list[int]]:
    """The sets of levels: bits in words of 32, and where each set's words begin and end."""
    ends = list(map(int, _numbers(lines, "cat_boundaries", int, sets + 1, where))) if sets else [0]
    is_ascending = ends[0] == 0 and all(low < high for low, high in pairwise(ends))
    require(where, f"its sets of levels end at {ends[:9]}", holds=is_ascending)
    words = list(map(int, _numbers(lines, "cat_threshold", int, ends[-1], where))) if sets else []
    require(where, "cat_threshold holds no words of 32 bits", holds=are_whole(words, 0, _MOST_WORD))
    return {"cat_boundaries": ends, "cat_threshold": words}


def _require_splits(
    inner: Mapping[str, list[Any]], ends: Sequence[int], levels: Sequence[int], name: str, where: str
) -> None:
    """Check that nodes part numbers by numbers, and categories by sets of no more levels than there are."""
    keys = ("split_feature", "decision_type", "threshold")
    for feature, decision, threshold in zip(*(inner[key] for key in keys), strict=True):
        is_categorical = bool(levels[feature])
        expected = {one | _CATEGORICAL for one in _DECISIONS} if is_categorical else _DECISIONS
        require(name, f"{where} has splits of another kind", holds=decision in expected)
        if is_categorical:
            is_place = threshold in range(len(ends) - 1)
            words = ends[int(threshold) + 1] - ends[int(threshold)] if is_place else 0
            is_set = 0 < words <= -(-levels[feature] // 32)
            require(name, f"{where} names no set of {levels[feature]} levels", holds=is_set)


def _children(lower: list[float], upper: list[float], leaves: int) -> Iterator[tuple[int, ...]]:
    """The children of inner nodes, then of leaves; -1 for a number that is neither's."""
    for pair in zip(lower, upper, strict=True):
        yield tuple(_place(int(one), leaves) for one in pair)
    yield from [()] * leaves


def _place(child: int, leaves: int) -> int:
    """The place of a child among inner nodes and the leaves after them; leaves are written as complements."""
    if child < 0:
        return leaves - 1 + ~child
    return child if child < leaves - 1 else -1


def _numbers(lines: Mapping[str, str], key: str, kind: type[int | float], count: int, where: str) -> list[float]:
    form = _WHOLE if kind is int else _DECIMAL
    texts = lines.get(key, "").split(" ") if lines.get(key) else []
    is_sound = len(texts) == count and all(form.fullmatch(text) for text in texts)
    require(where, f"{key} is no list of {count} numbers", holds=is_sound)
    return [kind(text) for text in texts]
