"""The candidates of a search: models with all their parameters, each with a name and a key of its own."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from enum import Enum
from typing import Any

from nightjar.settings.fairness import Mitigation
from nightjar.settings.learning import Search
from nightjar.settings.model import Model


@dataclass(frozen=True)
class Candidate:
    """One model with all its parameters. Names are unique within a search.

    Attributes:
        name: the model's; those of a space are numbered from 1.
        model: without a space.
        members: name -> model, of an ensemble.
        mitigation: how the fit treats groups more alike; None: it knows of no groups.
    """

    name: str
    model: Model = field(compare=False)
    members: Mapping[str, Model] = field(default_factory=dict, compare=False)
    mitigation: Mitigation | None = field(default=None, compare=False)

    def key(self) -> str:
        """SHA-256 of everything that decides its fit: equal settings have equal keys, whatever their name."""
        settings: list[Any] = [asdict(self.model), {name: asdict(model) for name, model in self.members.items()}]
        settings += [] if self.mitigation is None else [asdict(self.mitigation)]
        text = json.dumps(settings, sort_keys=True, default=_plain)
        return hashlib.sha256(text.encode()).hexdigest()


def candidate_of(search: Search, name: str) -> Candidate:
    """The candidate of a model without a space."""
    model = search.candidates[name]
    return Candidate(name, model, {member: search.candidates[member] for member in model.members})


def candidate_at(search: Search, name: str, number: int, parameters: Mapping[str, Any]) -> Candidate:
    """The candidate at one point of a model's space."""
    base = candidate_of(search, name)
    model = replace(base.model, parameters={**base.model.parameters, **parameters}, space={})
    return Candidate(f"{name}-{number}", model, base.members)


def _plain(value: object) -> object:
    if isinstance(value, Enum):
        return value.name
    raise TypeError(f"{value!r} of type {type(value).__name__} is no setting")
