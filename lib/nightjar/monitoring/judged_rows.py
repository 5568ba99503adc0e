"""Scores of nights beside the labels that are known, and what else of their rows is judged."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from nightjar.errors import TableError
from nightjar.evaluation.clusters import Clusters
from nightjar.evaluation.conformal import CLASSES
from nightjar.evaluation.criteria import Standard, standard_of
from nightjar.evaluation.metric_report import Truth
from nightjar.registry import events
from nightjar.settings.project import Project
from nightjar.settings.spine import WEIGHT
from nightjar.tables import arrow, groups, labels, predictions
from nightjar.tables.table import INSTANT
from nightjar.tables.warehouse import Warehouse
from nightjar.timeline import cutoff

ROLE = predictions.CHAMPION_ROLE


def with_labels(
    warehouse: Warehouse,
    project: Project,
    run_date: date,
    nights: Sequence[date],
    versions: Mapping[str, int],
    role: str = ROLE,
    columns_beside: Sequence[str] = (),
) -> pa.Table:
    """Scores of the nights in a role, with `label` (null: open, or settled as none) and `label_known_at` (null: open).

    Scores of models that were trained on another label are left out.

    Args:
        warehouse: where the tables lie.
        project: whose they are.
        run_date: labels count that are known at its midnight.
        nights: ascending.
        versions: Delta versions of scores, labels and features.
        role: of the scores.
        columns_beside: what is read of the features, where the table has it.
    """
    key = [*project.spine.key, "prediction_time"]
    dates = pc.field("run_date").isin(nights)
    classes = list(project.label.classes)
    served, columns = dates & (pc.field("role") == role), [*key, "score", "model_version", "run_date"]
    columns += [predictions.PREDICTED, predictions.PROBABILITIES] if classes else []
    stored = set(arrow.schema(warehouse, "scores", versions["scores"]).names)
    columns += [name for name in ("tier", predictions.ABSTAINED, predictions.PREDICTION_SET) if name in stored]
    label_hash = labels.single_hash(warehouse, versions["labels"])
    if label_hash is not None:
        others = pa.array(events.versions_of_other_labels(warehouse, label_hash), pa.string())
        served &= ~pc.field("model_version").isin(others)
    scores = arrow.read(warehouse, "scores", columns, served, versions["scores"])
    scores = predictions.unfold(scores, classes) if classes else scores
    has_sets = predictions.PREDICTION_SET in stored
    scores = predictions.unfold_sets(scores, classes or CLASSES) if has_sets else scores
    of_these = pc.field("prediction_time") >= pa.scalar(cutoff(nights[0], project.zone), INSTANT)
    latest_labels = labels.as_of(warehouse, key, cutoff(run_date, project.zone), versions["labels"], of_these)
    joined = scores.join(latest_labels, key, join_type="left outer")
    of_features = arrow.schema(warehouse, "features", versions["features"]).names
    beside = _columns_beside(project, of_features)
    more = [name for name in columns_beside if name in of_features and name not in joined.column_names]
    beside = list(dict.fromkeys([*beside, *more]))
    if beside:
        features = arrow.read(warehouse, "features", [*key, *beside], dates, versions["features"])
        joined = joined.join(features, key, join_type="left outer")
    # Arrow's threads join rows in any order, and the last digits of sums depend on it.
    return joined.sort_by([(name, "ascending") for name in key])


def _columns_beside(project: Project, stored: Sequence[str]) -> list[str]:
    """The columns of `features` that are needed with the scores: the ranking's lists and the sampling weights.

    The stored table, not the project, says whether there are weights: earlier nights may be sampled, later ones not.
    """
    scored = (*project.spine.key, "prediction_time", "run_date")
    lists = [name for name in project.label.query if name not in scored]
    return [*lists, WEIGHT] if WEIGHT in stored else lists


@dataclass(frozen=True, eq=False)
class Scored:
    """Rows of one night as measures take them, with or without labels.

    Attributes:
        score: of each row, of several classes (rows, classes).
        clusters: the entities are what repeats, and the night is one block.
        lists: of a ranking: the number of each row's list.
        weight: how many rows each one stands for; None: one each.
        standard: what measures ask of the project, with the decisions that were served.
    """

    score: npt.NDArray[np.float64]
    clusters: Clusters
    lists: npt.NDArray[np.intp] | None
    weight: npt.NDArray[np.float64] | None
    standard: Standard


def scored_of(rows: pa.Table, project: Project) -> Scored:
    """Rows of one night.

    Raises:
        TableError: a prediction is none of the project's classes.
    """
    query, classes, standard = project.label.query, list(project.label.classes), standard_of(project)
    score = rows["score"].to_numpy()
    if classes:
        decisions = _codes(rows, predictions.PREDICTED, classes)
        score, standard = predictions.probabilities_of(rows, classes), replace(standard, decisions=decisions)
    entity = [name for name in query or project.spine.key if name not in ("prediction_time", "run_date")]
    numbers = groups.codes(rows, entity) if entity else np.arange(len(rows))
    clusters = Clusters(numbers, np.zeros(len(rows), np.intp))
    lists = groups.codes(rows, query) if query else None
    weight = np.nan_to_num(rows[WEIGHT].to_numpy(), nan=1.0) if WEIGHT in rows.column_names else None
    return Scored(score, clusters, lists, weight, standard)


def truth_of(judged: pa.Table, project: Project) -> tuple[Truth, npt.NDArray[np.float64]]:
    """The judged rows of a night and their scores.

    Raises:
        TableError: an outcome or a prediction is none of the project's classes.
    """
    classes = list(project.label.classes)
    label = _codes(judged, "label", classes) if classes else judged["label"].to_numpy()
    one = scored_of(judged, project)
    return Truth(project.label.task, label, one.clusters, one.lists, one.weight, one.standard), one.score


def _codes(judged: pa.Table, name: str, classes: list[str]) -> npt.NDArray[np.intp]:
    codes = pc.index_in(judged[name], pa.array(classes))
    if codes.null_count:
        strange = judged[name].filter(pc.is_null(codes)).unique().to_pylist()
        table = "labels" if name == "label" else "scores"
        raise TableError(
            f"Table {table} holds {name} {strange[0]!r} in {codes.null_count:,} of {len(judged):,} judged rows: "
            f"expected one of project.label.classes, {classes}. Were they changed since? Build the labels again, or "
            "put the class back. Nothing was written."
        )
    return codes.to_numpy().astype(np.intp)
