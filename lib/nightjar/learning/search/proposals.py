"""What a search tries: every combination, points drawn at random, or what earlier batches make promising."""

import itertools
from collections.abc import Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from nightjar.errors import LearningError
from nightjar.learning.search.candidates import Candidate, chosen, fixed
from nightjar.settings.learning import ProposalKind, Search
from nightjar.settings.model import Range, dimension


@dataclass(frozen=True)
class Reached:
    """What a candidate reached: the metric on each fold it ran on, in the order of the folds, greater is better.

    Attributes:
        values: None where it failed.
        folds: how many a candidate runs on that nobody stops.
    """

    values: tuple[float | None, ...]
    folds: int


Batches = Generator[list[Candidate], Mapping[Candidate, Reached], None]


def baselines(search: Search) -> list[Candidate]:
    """The candidates that a champion must beat, no two alike; they are never stopped."""
    found = [candidate for name in _names(search, baseline=True) for candidate in _all_of(search, name)]
    return list(by_key(found).values())


def batches(search: Search) -> Batches:
    """Yields the candidates that are no baselines, batch by batch, and is sent what they reached. Names are unique.

    Points that are drawn or proposed again are not tried again: the first one of equals stands for all of them.

    Raises:
        LearningError: a grid over a range, which has no end.
    """
    names = _names(search, baseline=False)
    spaces = [name for name in names if search.candidates[name].space]
    if search.proposals.kind is ProposalKind.TPE and spaces:
        from nightjar.learning.search.estimated import estimated  # noqa: PLC0415  (each worker would import Optuna)

        yield from estimated(search, spaces, [fixed(search, name) for name in names if name not in spaces])
    else:
        found = [candidate for name in names for candidate in _all_of(search, name)]
        yield list(by_key(found).values())


def by_key(candidates: Iterable[Candidate]) -> dict[str, Candidate]:
    """Key -> the first candidate that has it, in their order."""
    found: dict[str, Candidate] = {}
    for candidate in candidates:
        found.setdefault(candidate.key(), candidate)
    return found


def _names(search: Search, *, baseline: bool) -> list[str]:
    return [name for name, model in search.candidates.items() if model.baseline is baseline]


def _all_of(search: Search, name: str) -> list[Candidate]:
    space = search.candidates[name].space
    if not space:
        return [fixed(search, name)]
    points = _grid(search, name) if search.proposals.kind is ProposalKind.GRID else _drawn(search, name)
    return [chosen(search, name, number, point) for number, point in enumerate(points, start=1)]


def _grid(search: Search, name: str) -> list[dict[str, Any]]:
    space = search.candidates[name].space
    values: list[Sequence[Any]] = []
    for parameter, tried in space.items():
        found = dimension(parameter, tried)
        if isinstance(found, Range):
            raise LearningError(
                f"search.candidates.{name}.space.{parameter} is a range, {found.low} to {found.high}: a grid needs a "
                "list of values. Give one, or draw from the range with search.proposals.kind=RANDOM or TPE."
            )
        values.append(found)
    return [dict(zip(space, combination, strict=True)) for combination in itertools.product(*values)]


def _drawn(search: Search, name: str) -> list[dict[str, Any]]:
    """Points drawn one by one: more trials begin with the points of fewer."""
    model = search.candidates[name]
    place = list(search.candidates).index(name)
    random = np.random.default_rng([search.seed, place])
    space = {parameter: dimension(parameter, tried) for parameter, tried in model.space.items()}
    return [
        {parameter: _draw(random, found) for parameter, found in space.items()}
        for _ in range(search.proposals.trials or 0)
    ]


def _draw(random: np.random.Generator, found: list[Any] | Range) -> Any:
    if isinstance(found, list):
        return found[random.integers(len(found))]
    if found.log:
        value = float(np.exp(random.uniform(np.log(found.low), np.log(found.high + found.whole))))
    else:
        value = float(random.uniform(found.low, found.high + found.whole))
    return (
        min(max(int(value), int(found.low)), int(found.high)) if found.whole else min(max(value, found.low), found.high)
    )
