"""The model that reads the features: the champion by the last promotion, and what it would lose without each."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import pyarrow.compute as pc

from nightjar.report.champion import find_champion
from nightjar.report.reading import PinnedTables


@dataclass(frozen=True)
class Importance:
    """What the model loses of a metric without some columns, which it can only miss together.

    Attributes:
        estimate: of the loss; None: it could not be measured.
        together: how many columns they are.
    """

    metric: str
    estimate: float | None
    together: int


@dataclass(frozen=True)
class Reader:
    """The champion.

    Attributes:
        inputs: the features that it reads, in its order; None: its records do not say.
        importance: feature -> what the model loses without it; empty: not measured.
    """

    version: str
    name: str | None
    since: date
    inputs: list[str] | None
    importance: Mapping[str, Importance]


def find_reader(tables: PinnedTables) -> Reader | None:
    """The champion by the last promotion; None: there is none."""
    champion = find_champion(tables)
    if champion is None:
        return None
    where = (pc.field("event") == "registered") & (pc.field("model_version") == champion.version)
    evidence: dict[str, Any] = {}
    for row in tables.rows("model_events", ["evidence"], where):
        evidence = json.loads(row["evidence"])
    importance = {
        name: Importance(str(one["metric"]), one["estimate"], len(one["columns"]))
        for one in evidence.get("importance") or ()
        for name in one["columns"]
    }
    return Reader(champion.version, champion.name, champion.since, list(importance) or None, importance)
