"""The reasons for a night's scores, as the table `scores` holds them.

Which rows need reasons follows from what is decided about them, which may take more than a task knows. So the features
of a row go along with its score (`carry`) until all is decided, and `add_reasons` leaves the reasons in their place.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
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
from nightjar.scoring.background import recent_rows
from nightjar.scoring.night import Night
from nightjar.settings.serving.reasons import NO_TIER
from nightjar.tables import arrow
from nightjar.tables.drawing import uniform
from nightjar.tables.predictions import PREDICTED, TIER, probabilities_of, unfold
from nightjar.tables.reasons import REASONS, REASONS_TYPE
from nightjar.tables.sink import Unfinished, UnfinishedTask
from nightjar.tables.warehouse import Warehouse

Mask = npt.NDArray[np.bool_]

BACKGROUND = 200
"""Rows that take the place of a column that is left out, of models without exact contributions."""


@dataclass(frozen=True, eq=False)
class ReasonsPlan:
    """How the reasons of a version's scores are made; sent to the tasks that score.

    Attributes:
        wording: how they are put into words.
        features: what the model reads.
        classes: of several classes: their values.
        background: rows of past nights, of what the model reads; none where its contributions are exact.
    """

    wording: Wording
    features: tuple[str, ...]
    classes: tuple[str, ...]
    background: pa.Table


def plan_reasons(night: Night, manifest: Manifest, predictor: Predictor, number: str) -> ReasonsPlan | None:
    """How the reasons of a version's scores are made; None where the project declares that no row has any.

    Args:
        night: that is scored, by a project that says which rows have reasons, and in which words.
        manifest: of the version.
        predictor: the same, opened.
        number: of the version.

    Raises:
        ModelError: the model was stored by an earlier version without what its contributions need.
    """
    settings = night.project.serving.reasons
    if not settings.is_declared():
        return None
    columns = [feature.name for feature in manifest.features]
    schema = pa.schema([night.schema.field(name) for name in columns])
    usual_ranges = _usual_ranges(night.warehouse, number, schema)
    background = schema.empty_table()
    if not _is_exact(predictor, background):
        definitions = manifest.definitions_hash
        nights = recent_rows(night.warehouse, night.version, columns, definitions, night.run_date, BACKGROUND)
        background = pa.concat_tables([background, *nights])
    wording = Wording(settings, usual_ranges, masking_of(night.project))
    return ReasonsPlan(wording, tuple(columns), manifest.classes, background)


def carry(columns: pa.Table, rows: pa.Table, plan: ReasonsPlan | None) -> pa.Table:
    """Rows of the table `scores` with their features beside them; as they are where no row has reasons.

    Args:
        columns: of the rows in `scores`.
        rows: the same of the table `features`.
        plan: how reasons are made; None: no row has any.
    """
    for name in () if plan is None else plan.features:
        columns = columns.append_column(_carried(name), rows[name])
    return columns


def with_reasons(
    make: UnfinishedTask, open_predictor: Callable[[], Predictor], plan: ReasonsPlan | None
) -> UnfinishedTask:
    """A task whose rows, which `carry` their features, have reasons instead; the task as it is where no row has any.

    Rows that the driver finishes carry them on to it, and rows that could not be scored carry none.
    """
    if plan is None:
        return make

    def explain_share(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.Table | Unfinished]:
        predictor = None
        for part in make(batches):
            if isinstance(part, Unfinished) or not is_carried(part, plan):
                yield part
                continue
            predictor = predictor or open_predictor()
            yield add_reasons(part, predictor, plan)

    return explain_share


def is_carried(rows: pa.Table, plan: ReasonsPlan) -> bool:
    """Whether rows have their features beside them."""
    return all(_carried(name) in rows.column_names for name in plan.features)


def add_reasons(carried: pa.Table, predictor: Predictor, plan: ReasonsPlan) -> pa.Table:
    """Rows of the table `scores` with their reasons in place of their features.

    Args:
        carried: see `carry`; with `prediction_id`, score or probabilities, and `tier` or `predicted` where there
            are such.
        predictor: which scored them.
        plan: how reasons are made.

    Raises:
        ModelError: reasons do not explain the scores.
    """
    names = list(map(_carried, plan.features))
    rows, columns = carried.select(names).rename_columns(list(plan.features)), carried.drop_columns(names)
    settings, groups = plan.wording.settings, _groups(columns)
    chosen = np.flatnonzero(_is_among(groups, settings.tiers) | _is_drawn(columns["prediction_id"], settings.sample))
    scores, predicted = _served(columns.take(chosen), plan.classes)
    is_adverse = _is_among(groups, settings.adverse.tiers)[chosen]
    explained = reasons(predictor, rows.take(chosen), scores, predicted, is_adverse, plan.background, plan.wording)
    of_rows: list[list[dict[str, Any]] | None] = [None] * len(columns)
    for place, own in zip(chosen.tolist(), explained, strict=True):
        of_rows[place] = [asdict(one) for one in own]
    return columns.append_column(REASONS, pa.array(of_rows, REASONS_TYPE))


def _carried(feature: str) -> str:
    """The name of a feature beside scores; no column has such a one, since names are identifiers."""
    return f"feature {feature}"


def _served(columns: pa.Table, classes: Sequence[str]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.intp]]:
    """The scores of rows, of several classes (rows, classes), and the number of the predicted class."""
    if not classes:
        return columns["score"].to_numpy(), np.zeros(len(columns), np.intp)
    codes = pc.index_in(columns[PREDICTED], value_set=pa.array(classes, pa.string()))
    return probabilities_of(unfold(columns, classes), classes), codes.to_numpy().astype(np.intp)


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
    ranges = dict[str, str]()
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
    """What is decided for each row: its tier, or where it has none the predicted class; None: none.

    Of several classes only rows that abstain have a tier.
    """
    named = [columns[name] for name in (TIER, PREDICTED) if name in columns.column_names]
    return pc.coalesce(*named).to_pylist() if named else [None] * len(columns)


def _is_among(groups: Sequence[Any], names: Sequence[str]) -> Mask:
    values = {None if name == NO_TIER else name for name in names}
    return np.array([group in values for group in groups], np.bool_)


def _is_drawn(ids: "pa.ChunkedArray[Any]", share: float) -> Mask:
    """Whether each row is in the sample: by a hash, so that a rerun draws the same, a greater share those and more."""
    if not share:
        return np.zeros(len(ids), np.bool_)
    return np.array([uniform("reasons", str(one)) < share for one in ids.to_pylist()], np.bool_)
