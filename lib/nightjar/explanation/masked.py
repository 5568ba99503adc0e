"""Explanations without the values of sensitive columns: what adds to a score is said, the value is not."""

from dataclasses import replace

from nightjar.explanation.of_model import ModelExplanation
from nightjar.explanation.of_row import RowExplanation
from nightjar.explanation.surrogates import Leaf
from nightjar.masking.values import MASK, Masking


def mask_row(explanation: RowExplanation, masking: Masking) -> RowExplanation:
    """The explanation of a row in which no value of a sensitive column is named."""
    counterfactuals = explanation.counterfactuals
    return replace(
        explanation,
        effects=[replace(one, value=masking.value(one.column, one.value)) for one in explanation.effects],
        counterfactuals=None
        if counterfactuals is None
        else [replace(one, changes=masking.row(one.changes)) for one in counterfactuals],
    )


def mask_model(explanation: ModelExplanation, masking: Masking) -> ModelExplanation:
    """The same of a model: without the curve of a sensitive column, and the bounds by which a small tree parts it."""
    surrogate = explanation.surrogate
    return replace(
        explanation,
        dependences=[one for one in explanation.dependences if not masking.hides(one.column)],
        surrogate=replace(surrogate, leaves=tuple(_mask_leaf(leaf, masking) for leaf in surrogate.leaves)),
    )


def _mask_leaf(leaf: Leaf, masking: Masking) -> Leaf:
    pairs = zip(leaf.columns, leaf.conditions, strict=True)
    return replace(leaf, conditions=tuple(f"{name} {MASK}" if masking.hides(name) else words for name, words in pairs))
