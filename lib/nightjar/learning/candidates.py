"""The candidates of a search: every combination of every model's grid, named."""

import dataclasses
import itertools
from dataclasses import dataclass

from nightjar.settings.learning import Model, Search


@dataclass(frozen=True)
class Candidate:
    """One model with all its parameters."""

    name: str
    model: Model


def expand(search: Search) -> list[Candidate]:
    """All candidates, in the order of the configuration; a grid's are numbered from 1."""
    return [candidate for name, model in search.candidates.items() for candidate in _of(name, model)]


def _of(name: str, model: Model) -> list[Candidate]:
    if not model.grid:
        return [Candidate(name, model)]
    combinations = itertools.product(*model.grid.values())
    return [
        Candidate(f"{name}-{number}", _with(model, dict(zip(model.grid, values, strict=True))))
        for number, values in enumerate(combinations, start=1)
    ]


def _with(model: Model, chosen: dict[str, object]) -> Model:
    return dataclasses.replace(model, parameters={**model.parameters, **chosen}, grid={})
