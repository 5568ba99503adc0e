"""What a night is compared with: the references of the version that scored it, as training has stored them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import numpy as np
import pyarrow.compute as pc

from nightjar.errors import ModelError
from nightjar.evaluation.histograms import Bins, Counts
from nightjar.registry import events
from nightjar.tables import arrow
from nightjar.tables.monitoring_definitions import REFERENCES
from nightjar.tables.predictions import RULE, classes_of, watched
from nightjar.tables.warehouse import Warehouse

PLAIN = ("column", "bins", "counts")
ADDED = (
    *("design_effect", "slice", "special", "mean", "std", "importance", "tested"),
    *("anchor_version", "anchor_counts", "null_distribution"),
)
"""Columns that tables of an earlier Nightjar lack."""


@dataclass(frozen=True)
class Reference:
    """A subject's reference: the histogram of the training data, and what is known of it besides.

    Attributes:
        design_effect: how many rows of one night are as alike as one row.
        special: rows with NaN, minus infinity and infinity; None: it has no such numbers.
        mean, std: of its finite numbers.
        importance: its share of what the model uses; None: nobody has measured it.
        is_tested: False where prediction time alone decides the values.
        anchor: version and counts of the first version on these bins; None: none is stored.
        slices: name of a slice -> its counts.
    """

    bins: Bins
    counts: Counts
    design_effect: float = 1.0
    special: Counts | None = None
    mean: float | None = None
    std: float | None = None
    importance: float | None = None
    is_tested: bool = True
    anchor: tuple[str, Counts] | None = None
    slices: Mapping[str, Counts] = field(default_factory=dict)


@dataclass(frozen=True)
class References:
    """Of one version.

    Attributes:
        version: whose training data it is.
        subjects: features, scores and lengths of texts.
        nulls: `references.ALL_COLUMNS` and `ALL_SCORES` -> the null of them, as JSON; `TOGETHER` -> the joint
            reference, likewise. A version of before has none.
    """

    version: str
    subjects: Mapping[str, Reference]
    nulls: Mapping[str, str] = field(default_factory=dict)

    @property
    def classes(self) -> list[str]:
        """Those whose probabilities are watched; of two classes none."""
        return classes_of(self.subjects)

    @property
    def scores(self) -> list[str]:
        """The subjects that are no features."""
        return [name for name in watched(self.classes) if name in self.subjects]


def references_of_night(
    warehouse: Warehouse, scored_by: str, run_date: date, version: int | None = None
) -> References | None:
    """The references of the model that scored a night; of one that a rule of thumb did the champion's features.

    None where a rule scored it and there is no champion.

    Raises:
        ModelError: the version has none in this warehouse.
    """
    if scored_by != RULE:
        return read_references(warehouse, scored_by, version)
    champion = events.find_champion(warehouse, run_date)
    if champion is None:
        return None
    whole = read_references(warehouse, champion.number, version)
    features = {name: one for name, one in whole.subjects.items() if name not in whole.scores}
    return References(whole.version, features, whole.nulls)


def read_references(warehouse: Warehouse, model_version: str, version: int | None = None) -> References:
    """The references of a version.

    Args:
        warehouse: where the tables lie.
        model_version: the registered version.
        version: of the table; None: the latest.

    Raises:
        ModelError: it has none in this warehouse.
    """
    rows = _rows(warehouse, model_version, version)
    if not any(row["bins"] for row in rows):
        raise ModelError(
            f"Table {REFERENCES.name} has nothing of model version {model_version}: it was not trained in this "
            "warehouse. Train and promote a model here."
        )
    slices: dict[str, dict[str, Counts]] = {}
    for row in rows:
        if row.get("slice") is not None:
            slices.setdefault(row["column"], {})[row["slice"]] = np.array(row["counts"], np.int64)
    subjects = {row["column"]: _reference(row, slices) for row in rows if row["bins"]}
    nulls = {row["column"]: row["null_distribution"] for row in rows if row.get("null_distribution")}
    return References(model_version, subjects, nulls)


def _rows(warehouse: Warehouse, model_version: str, version: int | None) -> list[dict[str, Any]]:
    if version is None and not arrow.exists(warehouse, REFERENCES.name):
        return []
    where = (pc.field("model_version") == model_version) & pc.field("night").is_null()
    stored = arrow.schema(warehouse, REFERENCES.name, version).names
    names = [*PLAIN, *(name for name in ADDED if name in stored)]
    rows: list[dict[str, Any]] = arrow.read(warehouse, REFERENCES.name, names, where, version).to_pylist()
    return rows


def _reference(row: Mapping[str, Any], slices: Mapping[str, Mapping[str, Counts]]) -> Reference:
    anchor = row.get("anchor_counts")
    return Reference(
        bins=Bins.from_json(row["bins"]),
        counts=np.array(row["counts"], np.int64),
        design_effect=row.get("design_effect") or 1.0,
        special=None if row.get("special") is None else np.array(row["special"], np.int64),
        mean=row.get("mean"),
        std=row.get("std"),
        importance=row.get("importance"),
        is_tested=row.get("tested") is not False,
        anchor=None if anchor is None else (row["anchor_version"], np.array(anchor, np.int64)),
        slices=slices.get(row["column"], {}),
    )
