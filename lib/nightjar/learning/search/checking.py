"""Checks before any fit: parameters, spaces, and whether the metric fits the task."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from nightjar.errors import LearningError
from nightjar.models.checking import check_model
from nightjar.models.columns import FeatureColumn
from nightjar.settings.fairness import Mitigation
from nightjar.settings.learning import Search
from nightjar.settings.model import Dimension, Range
from nightjar.settings.sampling import LABEL, TrainingSample
from nightjar.settings.split import SplitKind
from nightjar.settings.task import METRICS, Task


def require_learnable(
    search: Search,
    features: Sequence[FeatureColumn],
    task: Task,
    *,
    weighted: bool,
    mitigation: Mitigation | None = None,
) -> None:
    """Check every candidate, at each value of its space.

    Args:
        search: its candidates, metric, split and sample.
        features: what may be used.
        task: of the label.
        weighted: whether rows have weights.
        mitigation: how candidates that are no baselines are fitted; None: as they are.

    Raises:
        LearningError: names the candidate, or the metric and those that fit.
    """
    mitigation = mitigation or Mitigation()
    require_shared_settings(search, [feature.name for feature in features], task)
    for name in search.candidates:
        require_unmitigated_or_labelled(search, name, mitigation)
        weighs = mitigation.weighs() and not search.candidates[name].baseline
        require_candidate(search, name, features, task, weighted=weighted or weighs)


def require_unmitigated_or_labelled(search: Search, name: str, mitigation: Mitigation) -> None:
    """Refuse a mitigation of fits beside rows without a label, whose groups nobody has read.

    Raises:
        LearningError: names the candidate.
    """
    model = search.candidates[name]
    if mitigation.is_of_fits() and not model.baseline and model.self_training.floor is not None:
        raise LearningError(
            f"search.candidates.{name}: self_training joins rows without a label, which have no part in "
            f"fairness.mitigation.kind={mitigation.kind.word}: leave one of both out."
        )


def require_shared_settings(search: Search, features: Sequence[str], task: Task) -> None:
    """Check what all candidates share: the metric, the strata of a sample, the split. Features count by name.

    Raises:
        LearningError: names the setting.
    """
    if search.metric not in METRICS[task]:
        fitting = ", ".join(one.word for one in METRICS[task])
        judged = " or ".join(one.word for one in search.metric.tasks)
        raise LearningError(
            f"search.metric is {search.metric.word}, which judges a {judged}; project.label.task is "
            f"{task.word}: choose one of {fitting}."
        )
    _check_sample(search.sample, features, task)
    for name, model in search.candidates.items():
        if model.self_training.floor is not None and search.split.kind is not SplitKind.WALK_FORWARD:
            raise LearningError(
                f"search.candidates.{name}: self_training joins the rows before a test period, and the folds of "
                f"search.split.kind={search.split.kind.word} have none: choose walk_forward."
            )


def require_candidate(
    search: Search, name: str, features: Sequence[FeatureColumn], task: Task, *, weighted: bool
) -> None:
    """Check a candidate at each value of its space.

    Raises:
        LearningError: names it.
    """
    model = search.candidates[name]
    weighted = weighted or not search.sample.keeps_all()
    members = {member: search.candidates[member] for member in model.members}
    for point in _points(model.space):
        at = replace(model, parameters={**model.parameters, **point}, space={})
        try:
            check_model(at, features, task, members, weighted=weighted)
        except (LearningError, ValueError) as error:
            raise LearningError(f"search.candidates.{name}: {error}") from error


def _check_sample(sample: TrainingSample, features: Sequence[str], task: Task) -> None:
    column = sample.stratify
    if column is None:
        return
    if task is Task.RANKING:
        raise LearningError(
            f"search.sample.stratify={column}: the rows of a ranking's list stay together; leave it out."
        )
    if column == LABEL:
        if not task.has_classes:
            raise LearningError(
                f"search.sample.stratify=label: each amount would be a stratum of its own, and of each a row is kept. "
                f"project.label.task is {task.word}: stratify by a feature with few values, or not at all."
            )
    elif column not in features:
        names = ", ".join(features)
        raise LearningError(
            f"search.sample.stratify: there is no column {column!r}; expected {LABEL!r} or one of {names}."
        )


def _points(space: Mapping[str, Dimension]) -> Iterator[dict[str, Any]]:
    """Points that cover every value of every list and both ends of every range, varying one parameter at a time."""
    values = {name: _values(tried) for name, tried in space.items()}
    defaults = {name: tried[0] for name, tried in values.items()}
    yield defaults
    for name, tried in values.items():
        for value in tried[1:]:
            yield {**defaults, name: value}


def _values(domain: list[Any] | Range) -> list[Any]:
    if isinstance(domain, list):
        return domain
    return [int(end) if domain.whole else end for end in (domain.low, domain.high)]
