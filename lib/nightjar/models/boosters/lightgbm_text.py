"""LightGBM's text of a model, read by a grammar of ours and written anew: its loader parses only what is checked.

Of a model, only what prediction needs is stored: its trees, and what their scores mean.
"""

import re
from collections.abc import Iterator, Mapping

from nightjar.errors import ModelError
from nightjar.models.boosters.trees import are_finite, nodes_of, require

_HEADER = {"version": "v4", "num_class": "1", "num_tree_per_iteration": "1", "label_index": "0"}
_OBJECTIVES = {"binary": "binary sigmoid:1", "regression": "regression"}
_OF_INNER = {"split_feature": int, "threshold": float, "decision_type": int, "left_child": int, "right_child": int}
_OF_INNER_UNUSED = ("split_gain", "internal_value", "internal_weight", "internal_count")
_OF_LEAVES_UNUSED = ("leaf_weight", "leaf_count")
_DECISIONS = {kind << 2 | default << 1 for kind in range(3) for default in range(2)}
"""What a node does: two bits say which values are missing (none, zero or NaN), one where they go. A bit for categories
stays 0: their bit sets would be read without a check."""
_WHOLE = re.compile(r"-?[1-9][0-9]{0,8}|0")
_DECIMAL = re.compile(r"-?[0-9]{1,400}(?:\.[0-9]{1,400})?(?:[eE][+-]?[0-9]{1,3})?|inf")
"""Infinite is the threshold that parts missing values from all others."""
END = "end of trees"


def checked(content: bytes, objective: str, inputs: int, name: str) -> bytes:
    """The model in a file, written anew from what was checked.

    Args:
        content: of the file, as LightGBM writes it or as this has returned it.
        objective: that its scores were made for.
        inputs: that the model takes.
        name: of the file, for errors.

    Raises:
        ModelError: it is no such model of so many inputs, or a tree leads outside of itself or of a row.
    """
    try:
        text = content.decode("ascii")
    except UnicodeDecodeError as error:
        raise ModelError(f"{name} is not a model of ours: it is no ASCII text.") from error
    body, end, _ = text.partition(f"\n{END}\n")
    require(name, f"it has no line {END!r}", holds=bool(end))
    header, *trees = re.split(r"\n+(?=Tree=)", body)
    expected = _HEADER | {"max_feature_idx": str(inputs - 1), "objective": _OBJECTIVES[objective]}
    stated = _lines(header.removeprefix("tree\n"), name)
    for key, value in expected.items():
        require(name, f"{key} is {stated.get(key)!r}, expected {value!r}", holds=stated.get(key) == value)
    written = [_tree(tree, number, inputs, name) for number, tree in enumerate(trees)]
    columns = " ".join(f"Column_{number}" for number in range(inputs))
    lines = [
        "tree",
        *(f"{key}={value}" for key, value in expected.items()),
        f"feature_names={columns}",
        f"feature_infos={' '.join(['none'] * inputs)}",
        f"tree_sizes={' '.join(str(len(tree)) for tree in written)}",
        "",
        "",
    ]
    return ("\n".join(lines) + "".join(written) + f"{END}\n").encode("ascii")


def _lines(text: str, name: str) -> dict[str, str]:
    """The lines `key=value` of a block."""
    lines = dict[str, str]()
    for line in text.split("\n"):
        key, sign, value = line.partition("=")
        require(name, f"it has the line {line[:40]!r}", holds=not line or (bool(sign) and key not in lines))
        lines[key] = value
    return lines


def _tree(text: str, number: int, inputs: int, name: str) -> str:
    """One tree as it is written anew."""
    lines, where = _lines(text, name), f"tree {number}"
    fixed = {"Tree": str(number), "num_cat": "0", "is_linear": "0"}
    for key, value in fixed.items():
        require(name, f"{where}: {key} is {lines.get(key)!r}, expected {value!r}", holds=lines.get(key) == value)
    leaves = int(_numbers(lines, "num_leaves", int, 1, f"{name}: {where}")[0])
    require(name, f"{where} has {leaves} leaves", holds=leaves >= 1)
    inner = {key: _numbers(lines, key, kind, leaves - 1, f"{name}: {where}") for key, kind in _OF_INNER.items()}
    values = _numbers(lines, "leaf_value", float, leaves, f"{name}: {where}")
    require(name, f"{where} holds a number that is not finite", holds=are_finite(values))
    require(name, f"{where} reads no input", holds=all(0 <= one < inputs for one in inner["split_feature"]))
    require(name, f"{where} has splits of another kind", holds=_DECISIONS.issuperset(inner["decision_type"]))
    children = list(_children(inner["left_child"], inner["right_child"], leaves))
    require(name, f"{where} leads outside of itself", holds=len(nodes_of(children)) == len(children))
    parts = {key: lines[key] for key in ("num_leaves", "num_cat", *_OF_INNER, "leaf_value")}
    unused = {key: " ".join(["0"] * (leaves - 1)) for key in _OF_INNER_UNUSED}
    unused |= {key: " ".join(["0"] * leaves) for key in _OF_LEAVES_UNUSED}
    written = {"Tree": str(number), **parts, **unused, "is_linear": "0", "shrinkage": "1"}
    return "".join(f"{key}={value}\n" for key, value in written.items()) + "\n\n"


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
