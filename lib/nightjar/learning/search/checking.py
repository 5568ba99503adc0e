"""What can be refused before any row is fitted: parameters, spaces, and a metric that does not judge the task."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from nightjar.errors import LearningError
from nightjar.models.columns import FeatureColumn
from nightjar.models.estimators import check
from nightjar.settings.learning import Search
from nightjar.settings.model import Range, dimension
from nightjar.settings.task import Metric, Task


def require_learnable(search: Search, features: Sequence[FeatureColumn], task: Task) -> None:
    """Check every candidate, at each value of its space.

    Raises:
        LearningError: names the candidate, or the metric and those that fit.
    """
    if search.metric.task is not task:
        fitting = ", ".join(metric.name for metric in Metric if metric.task is task)
        raise LearningError(
            f"search.metric is {search.metric.name}, which judges a {search.metric.task.value}; project.label.task is "
            f"{task.name}: choose one of {fitting}."
        )
    for name, model in search.candidates.items():
        members = {member: search.candidates[member] for member in model.members}
        for point in _points(model.space):
            at = replace(model, parameters={**model.parameters, **point}, space={})
            try:
                check(at, features=features, task=task, members=members)
            except (LearningError, ValueError) as error:
                raise LearningError(f"search.candidates.{name}: {error}") from error


def _points(space: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Points that together have every value of every list and both ends of every range, each beside first values."""
    values = {name: _values(dimension(name, tried)) for name, tried in space.items()}
    first = {name: tried[0] for name, tried in values.items()}
    yield first
    for name, tried in values.items():
        for value in tried[1:]:
            yield {**first, name: value}


def _values(found: list[Any] | Range) -> list[Any]:
    if isinstance(found, list):
        return found
    return [int(end) if found.whole else end for end in (found.low, found.high)]
