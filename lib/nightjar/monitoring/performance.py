"""Performance of earlier nights' predictions, on the labels known by the run date."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from nightjar.errors import TableError
from nightjar.evaluation.clusters import Clusters
from nightjar.evaluation.conformal import CLASSES
from nightjar.evaluation.criteria import standard_of
from nightjar.evaluation.metric_report import Truth, headline
from nightjar.monitoring.coverage import abstention_figures, coverage_figures, rolling_figures
from nightjar.monitoring.figures import ALL, Figure, night_figures, plain, tier_figures
from nightjar.monitoring.reviewing import review_figures
from nightjar.monitoring.signals import Signal
from nightjar.registry import events
from nightjar.settings.project import Project
from nightjar.settings.spine import WEIGHT
from nightjar.tables import arrow, groups, labels, predictions, scan
from nightjar.tables.entries import DataFile
from nightjar.tables.monitoring_definitions import PERFORMANCE
from nightjar.tables.runs import Outcome
from nightjar.tables.table import INSTANT
from nightjar.tables.warehouse import Warehouse
from nightjar.timeline import cutoff, moment

log = logging.getLogger("nightjar.monitor")
ROLE = "champion"
FOLLOWED = timedelta(days=7)
"""How long a night is still evaluated after its labels are final."""


def measure(warehouse: Warehouse, project: Project, run_date: date, run_id: str) -> tuple[Outcome, list[Signal]]:
    """Judge the served predictions of earlier nights on the labels known at the run date's midnight.

    These are the nights without final figures as of an earlier run date, however old, and those whose labels became
    final within the last week. A figure is provisional until the last of the night's labels is final, horizon and
    allowed lateness passed: labels known early are no random sample. Where labels may be settled early, only true ones
    are: rows whose horizon has not passed are then left out. A ranking is evaluated within the lists that the features
    name, and rows of a sample are weighted by the `sampling_weight` of their features. Scores of models that were
    trained on labels of another definition than those that are stored are not judged. Decisions between several classes
    are those that were served, and cost what the project says today; a class that the model does not know has the
    probability 0. Where people review predictions, what they decided is measured besides.

    Raises:
        TableError: a table is missing that must have been written before, or a column of the features that is needed.
    """
    outcome = Outcome(inputs=arrow.pin(warehouse, ["scores", "labels", "features"]))
    nights = _nights_to_judge(warehouse, project, run_date, outcome.inputs["scores"])
    rows: list[dict[str, Any]] = []
    if nights:
        scores = with_labels(warehouse, project, run_date, nights, outcome.inputs)
        scored: list[Any] = scores["run_date"].unique().to_pylist()
        rows += [row for day in sorted(scored) for row in _figures_of(scores, day, project, run_date, run_id)]
        for day, figures in rolling_figures(warehouse, rows, run_date).items():
            like = next((row for row in rows if row["evaluated_date"] == day), None)
            rows += [] if like is None else [like | _measured(figure) for figure in figures]
        skipped = [day for day in nights if day not in scored]
        if skipped:
            dates = (len(skipped), skipped[0], skipped[-1])
            log.info("not judged: %s nights from %s to %s, scored by models of another label", *dates)
    rows += review_figures(warehouse, project, run_date, run_id)
    outcome.outputs[PERFORMANCE.name] = arrow.replace(warehouse, PERFORMANCE, rows, {"run_date": run_date}, run_id)
    outcome.rows[PERFORMANCE.name] = len(rows)
    return outcome, []


def _nights_to_judge(warehouse: Warehouse, project: Project, run_date: date, version: int) -> list[date]:
    """Scored nights that lack final figures of their model as of an earlier run date, and recent ones."""
    served: dict[date, list[DataFile]] = {}
    for file in scan.snapshot(warehouse, "scores", version).files:
        if file.rows and file.partition["role"] == ROLE and file.partition["run_date"] < run_date:
            served.setdefault(file.partition["run_date"], []).append(file)
    judged = _versions_of_final_figures(warehouse, run_date)
    label, zone = project.label, project.zone
    sight = cutoff(run_date, zone) - FOLLOWED
    return sorted(
        day
        for day, files in served.items()
        if day not in judged
        or not all(file.may_hold("model_version", judged[day], judged[day]) for file in files)
        or label.final_at(np.array([moment(cutoff(day, zone))]), zone)[0] >= moment(sight)
    )


def _versions_of_final_figures(warehouse: Warehouse, run_date: date) -> dict[date, str]:
    """Night -> the model version whose final figures an earlier run date has stored."""
    if not arrow.exists(warehouse, PERFORMANCE.name):
        return {}
    final = ~pc.field("provisional") & (pc.field("run_date") < run_date) & (pc.field("measure") == "matured_share")
    figures = arrow.read(warehouse, PERFORMANCE.name, ["evaluated_date", "model_version", "run_date"], final)
    return {row["evaluated_date"]: row["model_version"] for row in figures.sort_by("run_date").to_pylist()}


def with_labels(
    warehouse: Warehouse,
    project: Project,
    run_date: date,
    nights: Sequence[date],
    versions: Mapping[str, int],
    role: str = ROLE,
) -> pa.Table:
    """Scores of the nights in a role, with `label` (null: open, or settled as none) and `label_known_at` (null: open).

    Scores of models that were trained on another label are left out.
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
    beside = _columns_beside(project, arrow.schema(warehouse, "features", versions["features"]).names)
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


def _figures_of(scores: pa.Table, day: date, project: Project, run_date: date, run_id: str) -> Iterator[dict[str, Any]]:
    rows = scores.filter(pc.field("run_date") == day)
    now = moment(cutoff(run_date, project.zone))
    predicted = rows["prediction_time"].cast(pa.int64()).to_numpy()
    provisional = bool((project.label.final_at(predicted, project.zone) > now).any())
    matured = 1 - rows["label_known_at"].null_count / len(rows)
    usable = pc.is_valid(rows["label"])
    if project.label.settled_early:
        usable = pc.and_(usable, pa.array(project.label.passed_at(predicted, project.zone) <= now))
    judged = rows.filter(usable)
    truth, score = truth_of(judged, project)
    apart = [
        replace(figure, of=name)
        for name, part in _apart(judged).items()
        for figure in night_figures(*truth_of(part, project))
        if figure.of == ALL
    ]
    first = headline(truth.task).value
    tiers = judged["tier"].to_numpy() if "tier" in judged.column_names else np.full(len(judged), None)
    of_tiers = tier_figures(truth, score, tiers)
    figures = [*night_figures(truth, score), *of_tiers, *apart, plain(ALL, "matured_share", matured, len(rows))]
    figures += [*abstention_figures(rows), *coverage_figures(judged, truth)]
    main = next(figure.interval for figure in figures if (figure.of, figure.measure) == (ALL, first))
    shown = f"undefined ({main.reason})" if main.estimate is None else f"{main.estimate:.4g}"
    log.info("performance of %s: %s %s, %.1f%% of labels matured", day, first, shown, 100 * matured)
    about = {
        "evaluated_date": day,
        "subject": ROLE,
        "provisional": provisional,
        "model_version": rows["model_version"][0].as_py(),
        "run_date": run_date,
        "run_id": run_id,
    }
    yield from (about | _measured(figure) for figure in figures)


def _measured(figure: Figure) -> dict[str, Any]:
    """What a row of the table has of a figure."""
    measured = figure.interval
    return {
        "slice": figure.of,
        "measure": figure.measure,
        "value": None if measured.estimate is None else float(measured.estimate),
        "low": measured.low,
        "high": measured.high,
        "rows": measured.rows,
        "reason": measured.reason,
    }


def _apart(judged: pa.Table) -> dict[str, pa.Table]:
    """The rows that somebody has acted on, and the others, where that is recorded and there are some."""
    if labels.ACTED not in judged.column_names:
        return {}
    columns: Any = judged
    acted = pc.fill_null(columns[labels.ACTED], False)
    parts = {"acted": judged.filter(acted), "not_acted": judged.filter(pc.invert(acted))}
    return {name: part for name, part in parts.items() if len(part)}


def truth_of(judged: pa.Table, project: Project) -> tuple[Truth, npt.NDArray[np.float64]]:
    """The judged rows of a night and their scores; its entities are what repeats, and the night is one block.

    Raises:
        TableError: an outcome or a prediction is none of the project's classes.
    """
    query, classes, standard = project.label.query, list(project.label.classes), standard_of(project)
    label, score = judged["label"].to_numpy(), judged["score"].to_numpy()
    if classes:
        label, decisions = (_codes(judged, name, classes) for name in ("label", predictions.PREDICTED))
        score, standard = predictions.probabilities_of(judged, classes), replace(standard, decisions=decisions)
    entity = [name for name in query or project.spine.key if name not in ("prediction_time", "run_date")]
    numbers = groups.codes(judged, entity) if entity else np.arange(len(judged))
    clusters = Clusters(numbers, np.zeros(len(judged), np.intp))
    lists = groups.codes(judged, query) if query else None
    weight = np.nan_to_num(judged[WEIGHT].to_numpy(), nan=1.0) if WEIGHT in judged.column_names else None
    return Truth(project.label.task, label, clusters, lists, weight, standard), score


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
