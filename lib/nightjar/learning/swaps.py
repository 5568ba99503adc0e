"""Whose decision would change if the new model replaced the champion, on the rows of the final period."""

from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

import numpy as np

from nightjar.evaluation.binary import Booleans
from nightjar.evaluation.confusion import accuracy
from nightjar.evaluation.fairness import Decision
from nightjar.evaluation.metric_report import Truth, figure
from nightjar.evaluation.paired_decisions import delong, describe_pair
from nightjar.evaluation.rows import Floats
from nightjar.evaluation.swaps import share_of, swap_sets, threshold_at
from nightjar.learning.class_decisions import class_decisions
from nightjar.settings.task import Task


def find_swaps(
    truth: Truth,
    champion: Floats,
    challenger: Floats,
    champion_threshold: float | Floats | None,
    threshold: float | Floats | None,
) -> dict[str, Any]:
    """The swap sets of two classifiers, and by which rule they act.

    A model without a fitted threshold acts on as many rows as the champion does, and a champion without one on as many
    as turned out True.

    Args:
        truth: the rows.
        champion: its scores.
        challenger: those of the new model.
        champion_threshold: the champion's fitted threshold, that of each row where groups have their own, or None.
        threshold: that of the new model, or None.
    """
    before = acted_on(truth, champion, champion_threshold)
    rate = share_of(before, truth.weight)
    after = acted_on(truth, challenger, threshold, rate)
    rules = {"champion": _rule(champion_threshold, "outcomes' rate"), "new": _rule(threshold, "champion's rate")}
    acts = {"champion": rate, "new": share_of(after, truth.weight)}
    label = np.asarray(truth.label) == 1
    described = describe_pair(truth, before == label, after == label) | {"delong": delong(truth, champion, challenger)}
    return {"rule": rules, "action_rate": acts, **swap_sets(truth, before, after), "described": described}


def find_class_swaps(truth: Truth, champion: Floats, challenger: Floats) -> dict[str, Any]:
    """Of several classes the rows whose predicted class changes, and of each class the swap sets of predicting it.

    Args:
        truth: the rows.
        champion: its probabilities, (rows, classes).
        challenger: those of the new model.
    """
    before, after = class_decisions(truth, champion), class_decisions(truth, challenger)
    stays = np.any([one.acts & other.acts for one, other in zip(before, after, strict=True)], axis=0)
    changed = replace(truth, task=Task.CLASSIFICATION, label=~stays)
    return {
        "rows": int((~stays).sum()),
        "changed": asdict(figure(accuracy, changed, np.ones(len(stays), bool))),
        "described": describe_pair(truth, _is_right(before), _is_right(after)),
        "classes": {
            one.of_class: swap_sets(one.truth, one.acts, other.acts) for one, other in zip(before, after, strict=True)
        },
    }


def _is_right(decisions: Sequence[Decision]) -> Booleans:
    """Whether the class that is predicted for each row is its own."""
    right: Booleans = np.any([one.acts & (np.asarray(one.truth.label) == 1) for one in decisions], axis=0)
    return right


def acted_on(truth: Truth, score: Floats, threshold: float | Floats | None, rate: float | None = None) -> Booleans:
    """Whether each row is acted on: from the threshold on; where none was fitted at a rate, or at that of outcomes."""
    if threshold is None:
        outcomes = share_of(np.asarray(truth.label) == 1, truth.weight) if rate is None else rate
        threshold = threshold_at(outcomes, score, truth.weight)
    acts: Booleans = score >= threshold
    return acts


def _rule(threshold: float | Floats | None, otherwise: str) -> str:
    if isinstance(threshold, np.ndarray):
        return "thresholds by group"
    return f"the {otherwise}" if threshold is None else f"threshold {threshold:.4g}"
