"""Training rows: features with the labels known at a cutoff, from pinned Delta versions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from nightjar.errors import LearningError
from nightjar.evaluation.rows import RowNumbers
from nightjar.learning.data import row_checks, targets
from nightjar.learning.data.content import content_hash
from nightjar.learning.data.instants import Days, Instants, microseconds
from nightjar.learning.data.other_rows import ActedRows, UnlabelledRows, acted_rows, without_label
from nightjar.models.columns import FeatureColumn, feature_columns
from nightjar.models.examples import Examples, InnerSplit
from nightjar.settings.project import Project
from nightjar.settings.spine import WEIGHT
from nightjar.settings.task import Task
from nightjar.tables import arrow, groups, labels
from nightjar.tables.warehouse import Warehouse
from nightjar.timeline import cutoff, moment


@dataclass(frozen=True)
class TrainingSet:
    """Labelled rows in the order of prediction time and key.

    Attributes:
        features: the feature columns, one row each.
        columns: their names and types.
        key: the columns that name a row, its prediction time among them.
        label: the outcome: booleans for a classification, numbers of `classes` where there are several, float64
            otherwise.
        day: local date of the prediction time.
        prediction_time: the instant up to which facts are in the features (UTC, microseconds).
        label_known_at: when the outcome was known (UTC, microseconds).
        passed_at: when the horizon of each row had passed, so that it has its outcome, or none (UTC, microseconds).
            Labels known earlier are no random sample of a date's rows.
        last_settled: the last local date with a labelled row, all of whose rows, labelled or not, had reached their
            horizon when these were read.
        versions: table -> Delta version that was read.
        definitions_hash: of the feature definitions, the same for every row.
        label_hash: of the label's definition, the same for every row; None: stored before there were hashes.
        entity: a number for each row, the same for rows of one entity: by the spine's key, or, in a ranking, by the
            list's columns other than times. None: each row is an entity.
        group: a number for each row, the same for rows that no split may separate; None: no groups.
        query: for ranking: the number of the list each row belongs to.
        weight: how many rows each row stands for; None: one each.
        slices: columns by which figures are told apart; None: none.
        null_labels: share of known labels that are null, of rows that were settled without an outcome and are left out;
            rows that somebody has acted on are not among them.
        acted_on: share of known labels of rows that somebody has acted on, see `tables.labels`; they are left out.
        acted: those rows; None: there are none.
        unlabelled: the rows before the run date that have no label, for self-training; None: they were not read.
        unlabelled_passed_at: when the horizon of each of those had passed (UTC).
        classes: of several classes: their values, in declared order; otherwise none.
    """

    features: pa.Table
    columns: tuple[FeatureColumn, ...]
    key: pa.Table
    label: npt.NDArray[Any]
    day: Days
    prediction_time: Instants
    label_known_at: Instants
    passed_at: Instants
    last_settled: date
    versions: Mapping[str, int]
    definitions_hash: str
    entity: RowNumbers | None = None
    group: RowNumbers | None = None
    query: RowNumbers | None = None
    weight: npt.NDArray[np.float64] | None = None
    slices: pa.Table | None = None
    null_labels: float = 0.0
    acted_on: float = 0.0
    acted: ActedRows | None = None
    label_hash: str | None = None
    unlabelled: UnlabelledRows | None = None
    unlabelled_passed_at: Instants = field(default_factory=lambda: np.array([], "datetime64[us]"))
    classes: tuple[str, ...] = ()

    def examples(self, index: RowNumbers, inner: Sequence[InnerSplit] = ()) -> Examples:
        """Some rows to fit a model on.

        Args:
            index: their numbers.
            inner: splits of them; the numbers count within `index`.
        """
        return Examples(
            self.features.take(index),
            self.label[index],
            None if self.weight is None else self.weight[index],
            None if self.query is None else self.query[index],
            inner,
            self.classes,
        )

    def settled_at(self) -> Instants:
        """When each row's label was known *and* its horizon had passed (UTC).

        Some labels are known before the horizon has passed: those that one event settles. They are no random sample,
        so nothing is fitted on them before the others are known too.
        """
        return np.maximum(self.passed_at, self.label_known_at)

    def stored_labels(self, which: RowNumbers) -> npt.NDArray[Any]:
        """The outcomes of some rows as table `labels` has them: of several classes their values."""
        return np.array(self.classes)[self.label[which]] if self.classes else self.label[which]

    @cached_property
    def content_hash(self) -> str:
        """SHA-256 of all that decides a fit: the same for the same rows, whatever files they came from."""
        names = ("label", "day", "prediction_time", "passed_at", "label_known_at", "group", "query", "weight")
        tables, rest = [self.features], "\n".join(self.classes).encode()
        if self.unlabelled is not None:
            tables, rest = [*tables, self.unlabelled.table], self.unlabelled.time.tobytes() + rest
        return content_hash(tables, {name: getattr(self, name) for name in names}, rest)


def read_training_set(
    warehouse: Warehouse,
    project: Project,
    run_date: date,
    *,
    group: Sequence[str] = (),
    query: Sequence[str] = (),
    slices: Sequence[str] = (),
    task: Task = Task.CLASSIFICATION,
    unlabelled: bool = False,
) -> TrainingSet:
    """Rows before the run date whose outcome is known at its midnight and is not null.

    A label's latest version at or before the cutoff counts.

    Args:
        warehouse: where the tables lie.
        project: says which columns are features.
        run_date: only labels known at its midnight are read.
        group: columns of the feature table; rows with the same values in them belong together.
        query: the same, for the lists of a ranking.
        slices: columns of the feature table by which figures are told apart.
        task: of the label.
        unlabelled: whether rows without a label are read too, for self-training.

    Raises:
        LearningError: the feature table mixes definitions or lacks a column to group by, there is no labelled row, an
            outcome or weight does not fit the task, or the features hold an infinite value, or no value at all.
        TableError: `features` or `labels` has not been built, or lacks a column that the configuration names, or the
            labels are of several definitions.
    """
    versions = arrow.pin(warehouse, ["features", "labels"])
    stored_columns = arrow.schema(warehouse, "features", versions["features"]).names
    row_checks.require_columns(stored_columns, [*group, *query, *slices])
    names = project.feature_names()
    columns = [*names, *group, *query, *slices, *([WEIGHT] if WEIGHT in stored_columns else [])]
    feature_rows = _read_features(warehouse, project, run_date, columns, versions)
    latest_labels = labels.as_of(warehouse, _key(project), cutoff(run_date, project.zone), versions["labels"])
    outcome = latest_labels.filter(labels.is_usable(latest_labels))
    acted_on, all_labels = pc.sum(labels.is_acted_on(latest_labels)).as_py() or 0, max(len(latest_labels), 1)
    joined = _in_order(feature_rows.join(outcome, _key(project), join_type="inner"), project)
    if not len(joined):
        raise LearningError(f"There is no labelled row before {run_date}. Build features from the first date on.")
    feature_table = joined.select(names).combine_chunks()
    entity = [name for name in query or project.spine.key if name not in ("prediction_time", "run_date")]
    row_checks.refuse_infinite(feature_rows, names)
    row_checks.refuse_empty(feature_table)
    return TrainingSet(
        features=feature_table,
        columns=feature_columns(feature_table.schema, names),
        key=joined.select([*project.spine.key, "prediction_time"]).combine_chunks(),
        label=targets.labels(joined, _key(project), task, list(project.label.classes)),
        day=_numpy(joined["run_date"]).astype("datetime64[D]"),
        prediction_time=_instants(joined),
        label_known_at=_numpy(joined["label_known_at"]).astype("datetime64[us]"),
        passed_at=_passed_at(joined, project),
        last_settled=_last_settled(feature_rows, joined, project, run_date),
        versions=versions,
        definitions_hash=row_checks.single_definition(feature_rows),
        entity=groups.codes(joined, entity) if entity else None,
        group=groups.codes(joined, group) if group else None,
        query=groups.codes(joined, query) if query else None,
        weight=targets.weights(joined, _key(project)) if WEIGHT in stored_columns else None,
        slices=joined.select(list(slices)).combine_chunks() if slices else None,
        null_labels=(len(latest_labels) - acted_on - len(outcome)) / all_labels,
        acted_on=acted_on / all_labels,
        acted=acted_rows(feature_rows, latest_labels, _key(project), list(dict.fromkeys([*names, *slices]))),
        label_hash=labels.single_hash(warehouse, versions["labels"]),
        classes=tuple(project.label.classes),
        **(_rows_without_label(feature_rows, latest_labels, project, names) if unlabelled else {}),
    )


def _read_features(
    warehouse: Warehouse, project: Project, run_date: date, columns: Sequence[str], versions: Mapping[str, int]
) -> pa.Table:
    """The rows of all dates before the run date, labelled or not."""
    names = list(dict.fromkeys([*_key(project), *columns, "run_date", "definitions_hash"]))
    return arrow.read(warehouse, "features", names, pc.field("run_date") < run_date, versions["features"])


def _rows_without_label(
    feature_rows: pa.Table, latest_labels: pa.Table, project: Project, names: Sequence[str]
) -> dict[str, Any]:
    """The rows that have no label, and when their horizons had passed."""
    rows = _in_order(without_label(feature_rows, latest_labels, _key(project)), project)
    unlabelled = UnlabelledRows(rows.select(list(names)).combine_chunks(), _instants(rows))
    return {"unlabelled": unlabelled, "unlabelled_passed_at": _passed_at(rows, project)}


def _in_order(rows: pa.Table, project: Project) -> pa.Table:
    order: Any = [(name, "ascending") for name in ["prediction_time", *project.spine.key]]
    return rows.sort_by(order)


def _key(project: Project) -> list[str]:
    return [*project.spine.key, "prediction_time"]


def _instants(rows: pa.Table) -> Instants:
    return _numpy(rows["prediction_time"]).astype("datetime64[us]")


def _passed_at(rows: pa.Table, project: Project) -> Instants:
    """When the horizon of each row has passed."""
    passed = project.label.passed_at(microseconds(_instants(rows)), project.zone)
    return passed.astype("datetime64[us]")


def _last_settled(features: pa.Table, labelled: pa.Table, project: Project, run_date: date) -> date:
    """The last date all of whose rows were settled: of later dates only early labels are known, no random sample."""
    is_open = microseconds(_passed_at(features, project)) > moment(cutoff(run_date, project.zone))
    open_days = features["run_date"].filter(pa.array(is_open))
    first_open: date | None = pc.min(open_days).as_py()
    before = labelled if first_open is None else labelled.filter(pc.field("run_date") < first_open)
    newest: date | None = pc.max(before["run_date"]).as_py()
    return newest or (first_open or run_date) - timedelta(days=1)


def _numpy(column: "pa.ChunkedArray[Any]") -> npt.NDArray[Any]:
    return column.combine_chunks().to_numpy(zero_copy_only=False)
