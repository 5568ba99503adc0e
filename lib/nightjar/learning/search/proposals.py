"""The candidates that a search tries without regard to results: given models, grids and random points."""

import itertools
from collections.abc import Generator, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from nightjar.errors import LearningError
from nightjar.learning.fitting.candidates import Candidate, candidate_at, candidate_of
from nightjar.learning.search.fold_tasks import FoldValues
from nightjar.settings.fairness import Mitigation
from nightjar.settings.learning import ProposalKind, Search
from nightjar.settings.model import Range

Batches = Generator[list[Candidate], Mapping[Candidate, FoldValues], None]
"""Yields a batch of candidates and is sent the values of that batch."""


def baselines(search: Search) -> list[Candidate]:
    """The candidates that a champion must beat, without duplicates; they are never stopped."""
    candidates = [candidate for name in model_names(search, baseline=True) for candidate in expand(search, name)]
    return list(by_key(candidates).values())


def model_names(search: Search, *, baseline: bool) -> list[str]:
    """The names of the models that are baselines, or of those that are not."""
    return [name for name, model in search.candidates.items() if model.baseline is baseline]


def expand(search: Search, name: str) -> list[Candidate]:
    """The candidates of a model: itself, or one for each point of its space.

    Raises:
        LearningError: a grid over a range.
    """
    space = search.candidates[name].space
    if not space:
        return [candidate_of(search, name)]
    points = _grid(search, name) if search.proposals.kind is ProposalKind.GRID else _random_points(search, name)
    return [candidate_at(search, name, number, point) for number, point in enumerate(points, start=1)]


def mitigated(batches: Batches, mitigation: Mitigation | None) -> Batches:
    """The same candidates, fitted with a mitigation."""
    values: Mapping[Candidate, FoldValues] | None = None
    while True:
        try:
            batch = next(batches) if values is None else batches.send(values)
        except StopIteration:
            return
        values = yield [replace(candidate, mitigation=mitigation) for candidate in batch]


def by_key(candidates: Iterable[Candidate]) -> dict[str, Candidate]:
    """Key -> the first candidate that has it, in their order."""
    first: dict[str, Candidate] = {}
    for candidate in candidates:
        first.setdefault(candidate.key(), candidate)
    return first


def _grid(search: Search, name: str) -> list[dict[str, Any]]:
    space = search.candidates[name].space
    values: list[Sequence[Any]] = []
    for parameter, domain in space.items():
        if isinstance(domain, Range):
            raise LearningError(
                f"search.candidates.{name}.space.{parameter} is a range, {domain.low} to {domain.high}: a grid needs a "
                "list of values. Give one, or draw from the range with search.proposals.kind=random or tpe."
            )
        values.append(domain)
    return [dict(zip(space, combination, strict=True)) for combination in itertools.product(*values)]


def _random_points(search: Search, name: str) -> list[dict[str, Any]]:
    """Points drawn one by one: a search with more trials begins with the points of one with fewer."""
    model = search.candidates[name]
    position = list(search.candidates).index(name)
    random = np.random.default_rng([search.seed, position])
    return [
        {parameter: _draw(random, domain) for parameter, domain in model.space.items()}
        for _ in range(search.proposals.trials or 0)
    ]


def _draw(random: np.random.Generator, domain: list[Any] | Range) -> Any:
    if isinstance(domain, list):
        return domain[random.integers(len(domain))]
    if domain.log:
        value = float(np.exp(random.uniform(np.log(domain.low), np.log(domain.high + domain.whole))))
    else:
        value = float(random.uniform(domain.low, domain.high + domain.whole))
    return (
        min(max(int(value), int(domain.low)), int(domain.high))
        if domain.whole
        else min(max(value, domain.low), domain.high)
    )
