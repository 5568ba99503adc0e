"""The reasons for a night's scores, as the table `scores` holds them."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from nightjar.errors import LearningError
from nightjar.evaluation.histograms import Bins
from nightjar.explanation.contributions import NotAdditiveError, contributions
from nightjar.explanation.reasons import Wording, reasons
from nightjar.explanation.values import usual
from nightjar.masking.values import masking_of
from nightjar.models.predictor import Predictor
from nightjar.registry.manifest import Manifest
from nightjar.registry.tiers import TierThreshold
from nightjar.scoring.background import recent_rows
from nightjar.scoring.capacity import may_be_highest
from nightjar.settings.project import Project
from nightjar.settings.serving.reasons import NO_TIER, Reasons
from nightjar.tables import arrow
from nightjar.tables.predictions import PREDICTED
from nightjar.tables.reasons import REASONS, REASONS_TYPE
from nightjar.tables.warehouse import Warehouse

Mask = npt.NDArray[np.bool_]

BACKGROUND = 200
"""Rows that take the place of a column that is left out, of models without exact contributions."""


@dataclass(frozen=True, eq=False)
class ReasonsPlan:
    """How the reasons of a version's scores are made; sent to the tasks that score.

    Attributes:
        wording: how they are put into words.
        classes: of several classes: their values.
        background: rows of past nights, of what the model reads; none where its contributions are exact.
    """

    wording: Wording
    classes: tuple[str, ...]
    background: pa.Table


def plan_reasons(
    warehouse: Warehouse, project: Project, manifest: Manifest, predictor: Predictor, version: str, run_date: date
) -> ReasonsPlan | None:
    """How the reasons of a version's scores are made; None where the project declares that no row has any.

    Args:
        warehouse: of the tables features and references.
        project: says which rows have reasons, and in which words.
        manifest: of the version.
        predictor: the same, opened.
        version: its number.
        run_date: the night.

    Raises:
        ModelError: the model was stored by an earlier version without what its contributions need.
    """
    settings = project.serving.reasons
    if not settings.is_declared():
        return None
    columns = [feature.name for feature in manifest.features]
    schema = pa.schema([arrow.schema(warehouse, "features").field(name) for name in columns])
    usual_ranges = _usual_ranges(warehouse, version, schema)
    background = schema.empty_table()
    if not _is_exact(predictor, background):
        nights = recent_rows(warehouse, columns, manifest.definitions_hash, run_date, BACKGROUND)
        background = pa.concat_tables([background, *nights])
    wording = Wording(settings, usual_ranges, masking_of(project))
    return ReasonsPlan(wording, manifest.classes, background)


def add_reasons(
    columns: pa.Table,
    rows: pa.Table,
    scores: npt.NDArray[np.float64],
    predictor: Predictor,
    plan: ReasonsPlan | None,
    tiers: Sequence[TierThreshold],
) -> pa.Table:
    """Rows of the table `scores` with their reasons; as they are where no row has any.

    Args:
        columns: of the rows in `scores`, with `prediction_id`, and `tier` or `predicted` where there are such.
        rows: the same of the table `features`.
        scores: as the predictor gave them.
        predictor: which scored them.
        plan: how; None: no row has reasons.
        tiers: of the model. Rows that may be in one of exactly so many rows are explained before it is known: see
            `drop_reasons`.

    Raises:
        ModelError: reasons do not explain the scores.
    """
    if plan is None:
        return columns
    settings = plan.wording.settings
    groups = _groups(columns)
    is_chosen = _is_among(groups, settings.tiers) | _is_drawn(columns["prediction_id"], settings.sample)
    if any(tier.at_most is not None and tier.tier in settings.tiers for tier in tiers):
        is_chosen |= may_be_highest(columns, tiers)
    chosen = np.flatnonzero(is_chosen)
    is_adverse = _is_among(groups, settings.adverse.tiers)[chosen]
    predicted = np.zeros(len(chosen), np.intp)
    if plan.classes:
        codes = pc.index_in(columns[PREDICTED].take(chosen), value_set=pa.array(plan.classes, pa.string()))
        predicted = codes.to_numpy().astype(np.intp)
    explained = reasons(
        predictor, rows.take(chosen), scores[chosen], predicted, is_adverse, plan.background, plan.wording
    )
    of_rows: list[list[dict[str, Any]] | None] = [None] * len(columns)
    for place, own in zip(chosen.tolist(), explained, strict=True):
        of_rows[place] = [asdict(one) for one in own]
    return columns.append_column(REASONS, pa.array(of_rows, REASONS_TYPE))


def drop_reasons(rows: pa.Table, settings: Reasons) -> pa.Table:
    """Rows of the table `scores` without the reasons of those whose tier, now that it is final, has none."""
    if REASONS not in rows.column_names:
        return rows
    has_some = _is_among(_groups(rows), settings.tiers) | _is_drawn(rows["prediction_id"], settings.sample)
    of_rows = pc.if_else(pa.array(has_some), rows[REASONS].combine_chunks(), pa.scalar(None, REASONS_TYPE))
    return rows.set_column(rows.column_names.index(REASONS), REASONS, of_rows)


def _is_exact(predictor: Predictor, none: pa.Table) -> bool:
    try:
        contributions(predictor, none)
    except NotAdditiveError:
        return False
    return True


def _usual_ranges(warehouse: Warehouse, version: str, schema: pa.Schema) -> Mapping[str, str]:
    """Feature -> its usual range in words, of those whose histogram the version's training has stored."""
    if not arrow.exists(warehouse, "references"):
        return {}
    where = (pc.field("model_version") == version) & pc.field("night").is_null()
    stored = arrow.read(warehouse, "references", ["column", "bins", "counts"], where).to_pylist()
    ranges = {}
    for row in stored:
        if row["column"] in schema.names:
            is_boolean = pa.types.is_boolean(schema.field(row["column"]).type)
            words = _usual(row["bins"], row["counts"], is_boolean=is_boolean)
            ranges |= {} if words is None else {row["column"]: words}
    return ranges


def _usual(bins: str | None, counts: Sequence[int] | None, *, is_boolean: bool) -> str | None:
    try:
        own = Bins.from_json(bins or "")
    except LearningError:
        return None
    return usual(own, counts, is_boolean=is_boolean) if counts and len(counts) == own.size else None


def _groups(columns: pa.Table) -> list[Any]:
    """What is decided for each row: its tier, or the predicted class; None: none."""
    name = next((name for name in ("tier", PREDICTED) if name in columns.column_names), None)
    return [None] * len(columns) if name is None else columns[name].to_pylist()


def _is_among(groups: Sequence[Any], names: Sequence[str]) -> Mask:
    values = {None if name == NO_TIER else name for name in names}
    return np.array([group in values for group in groups], np.bool_)


def _is_drawn(ids: "pa.ChunkedArray[Any]", share: float) -> Mask:
    """Whether each row is in the sample: by a hash, so that a rerun draws the same, a greater share those and more."""
    if not share:
        return np.zeros(len(ids), np.bool_)
    return np.array([_uniform(str(one)) < share for one in ids.to_pylist()], np.bool_)


def _uniform(prediction_id: str) -> float:
    """A number in [0, 1) that looks random, and is independent of those that other drawings take of the same id."""
    return int.from_bytes(hashlib.sha256(f"reasons {prediction_id}".encode()).digest()[:6]) / 2**48
