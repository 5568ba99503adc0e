"""What the references of a trained version hold, from its plan, its evidence and its scores."""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from nightjar.durations import parse_duration
from nightjar.evaluation.rows import Floats
from nightjar.expressions.clock import features_of_time
from nightjar.learning.evidence import Evidence
from nightjar.learning.reference_anchors import read_anchors
from nightjar.learning.references import Watching
from nightjar.learning.training_plan import TrainingPlan
from nightjar.masking.values import masking_of
from nightjar.settings.features import FeatureGroup
from nightjar.settings.project import Project

MOST_TOGETHER = 200
"""Features that are compared together, at most."""
OLDEST_DAYS = 90
"""The age up to which versions are judged by nights as old, where nothing says when they expire."""


def watching_of(plan: TrainingPlan, evidence: Evidence, unseen_scores: Floats | None) -> Watching:
    """What a version's references hold besides the training data as a whole.

    Args:
        plan: of the training.
        evidence: of the winner, with its importances.
        unseen_scores: of each row by a fit that has not seen it, NaN where there is none; None: nobody has looked.
    """
    project, shares = plan.project, importance_shares(evidence.importance)
    return Watching(
        slices=project.monitoring.slices,
        untested=features_of_time(project),
        importance=shares,
        anchors=read_anchors(plan.warehouse),
        gap_days=longest_window(project.features.values()),
        together=_together(project, shares) if project.monitoring.drift.multivariate else (),
        oldest_days=project.promotion.expires_after_days or OLDEST_DAYS,
        scores=unseen_scores,
    )


def _together(project: Project, importance: Mapping[str, float]) -> list[str]:
    """The features that are compared together: those that the model uses most.

    Neither those that prediction time decides, nor sensitive ones: a sample of their values is stored.
    """
    left_out = {*features_of_time(project), *masking_of(project).columns}
    names = [name for name in project.feature_names() if name not in left_out]
    return sorted(names, key=lambda name: -importance.get(name, 0.0))[:MOST_TOGETHER]


def importance_shares(importance: Iterable[Mapping[str, Any]]) -> dict[str, float]:
    """Column -> its share of what the model loses without its columns, one after another; those of a group share.

    Args:
        importance: see `Evidence`. A column without which the model gets better has 0.

    Example:
        >>> importance_shares([{"columns": ["a", "b"], "estimate": 0.3}, {"columns": ["c"], "estimate": -0.1}])
        {'a': 0.5, 'b': 0.5, 'c': 0.0}
    """
    losses = [(one["columns"], max(one.get("estimate") or 0.0, 0.0)) for one in importance]
    whole = sum(loss for _, loss in losses)
    return {name: loss / len(names) / whole if whole else 0.0 for names, loss in losses for name in names}


def longest_window(groups: Iterable[FeatureGroup]) -> int:
    """The days of the longest window of any feature, rounded up; 0 where there is none."""
    windows = [
        parse_duration(window) for group in groups for feature in group.features.values() for window in feature.windows
    ]
    return max((one.days - (-one.exact // timedelta(days=1)) for one in windows), default=0)
