"""Drift of a night against its champion's training reference, computed from histograms."""

import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812

from nightjar.errors import ModelError
from nightjar.evaluation.distances import chi_squared, kolmogorov_smirnov, psi, psi_p_value
from nightjar.evaluation.histograms import Bins, Counts, count
from nightjar.monitoring.signals import Signal
from nightjar.registry import events
from nightjar.settings.project import Project
from nightjar.tables import arrow, delta
from nightjar.tables.monitoring_definitions import DRIFT, REFERENCES
from nightjar.tables.predictions import (
    PREDICTED,
    PREDICTED_CLASS,
    PROBABILITIES,
    RULE,
    SCORE,
    classes_of,
    probability_of,
    watched,
)
from nightjar.tables.rows import in_tasks
from nightjar.tables.runs import Outcome
from nightjar.tables.warehouse import Warehouse

log = logging.getLogger("nightjar.monitor")
COUNTED = pa.schema({"column": pa.string(), "counts": pa.string()})


@dataclass(frozen=True)
class Reference:
    """A column's reference: the histogram of the training data, and the design effect of rows of one night."""

    bins: Bins
    counts: Counts
    design_effect: float = 1.0


def measure(
    spark: SparkSession, warehouse: Warehouse, project: Project, run_date: date, run_id: str
) -> tuple[Outcome, list[Signal]]:
    """Compare the night's features and scores with the reference of the model that scored them.

    Where the spine has no rows on the night's weekday there is no drift, and rows of an earlier run are removed.

    Raises:
        ModelError: the night has no scores though it may have, or the model that scored it has no reference.
    """
    tables = ("features", "scores", REFERENCES.name)
    outcome = Outcome(inputs=arrow.versions(warehouse, tables))
    is_night = F.col("run_date") == F.lit(run_date)
    scores = delta.read(spark, warehouse, "scores", outcome.inputs["scores"]).where(
        is_night & (F.col("role") == "champion")
    )
    scored_by = scores.select("model_version").first()
    absence = project.spine.absence(run_date)
    rows: list[dict[str, Any]] = []
    if scored_by is not None:
        references = _references_of_night(warehouse, scored_by[0], run_date, outcome.inputs[REFERENCES.name])
        features = delta.read(spark, warehouse, "features", outcome.inputs["features"]).where(is_night)
        rows = _drift_rows(features, scores, references, scored_by[0], run_date, run_id)
        log.info("drift: %d columns compared with the reference of version %s", len(references), scored_by[0])
    elif absence is not None:
        log.info("drift: nothing to compare; %s", absence)
    else:
        raise ModelError(f"Table scores has no scores of {run_date} to watch. Run: jobs/score.py run_date={run_date}")
    outcome.outputs[DRIFT.name] = arrow.replace(warehouse, DRIFT, rows, {"run_date": run_date}, run_id)
    outcome.rows[DRIFT.name] = len(rows)
    return outcome, []


def _drift_rows(
    features: DataFrame,
    scores: DataFrame,
    references: Mapping[str, Reference],
    scored_by: str,
    run_date: date,
    run_id: str,
) -> list[dict[str, Any]]:
    """The rows of `drift`, one for each distance of each column."""
    bins = {name: reference.bins for name, reference in references.items()}
    classes = classes_of(references)
    of_scores = {name: bins.pop(name) for name in watched(classes) if name in bins}
    counts = _count_columns(features, bins) | _count_columns(_columns_of_scores(scores, classes), of_scores)
    return [
        {
            "evaluated_date": run_date,
            "subject": name,
            "slice": "all",
            "measure": name_of_measure,
            "value": value,
            "rows": int(counts[name].sum()),
            "model_version": scored_by,
            "run_date": run_date,
            "run_id": run_id,
        }
        for name, reference in references.items()
        for name_of_measure, value in distances(reference, counts[name]).items()
    ]


def _columns_of_scores(scores: DataFrame, classes: Sequence[str]) -> DataFrame:
    """What is watched of scores: a class of which the model gives no probability has 0."""
    if not classes:
        return scores
    probabilities = [
        F.coalesce(F.try_element_at(F.col(PROBABILITIES), F.lit(value)), F.lit(0.0)).alias(probability_of(value))
        for value in classes
    ]
    return scores.select(SCORE, F.col(PREDICTED).alias(PREDICTED_CLASS), *probabilities)


def distances(reference: Reference, actual: Counts) -> dict[str, float | None]:
    """Every distance between two histograms of one column; nulls come first in both."""
    expected, numeric = reference.counts, reference.bins.kind == "numeric"
    groups = 10 if numeric else None
    test = (kolmogorov_smirnov if numeric else chi_squared)(expected, actual)
    name = "ks" if numeric else "chi_squared"
    return {
        "null_share": float(actual[0] / actual.sum()) if actual.sum() else None,
        "psi": psi(expected, actual, groups),
        "psi_p_value": psi_p_value(expected, actual, groups, design_effect=reference.design_effect),
        name: test.statistic,
        f"{name}_p_value": test.p_value,
    }


def _references_of_night(warehouse: Warehouse, scored_by: str, run_date: date, version: int) -> dict[str, Reference]:
    """The references of the model that scored a night; of one that a rule of thumb did the champion's features."""
    if scored_by != RULE:
        return _references(warehouse, scored_by, version)
    champion = events.find_champion(warehouse, run_date)
    if champion is None:
        return {}
    references = _references(warehouse, champion.number, version)
    of_scores = watched(classes_of(references))
    return {name: one for name, one in references.items() if name not in of_scores}


def _references(warehouse: Warehouse, model_version: str, version: int) -> dict[str, Reference]:
    where = (pc.field("model_version") == model_version) & pc.field("night").is_null() & pc.field("bins").is_valid()
    # Tables of an earlier Nightjar lack the column of design effects.
    effect = {"design_effect"} & set(arrow.schema(warehouse, REFERENCES.name, version).names)
    rows = arrow.read(warehouse, REFERENCES.name, ["column", "bins", "counts", *effect], where, version).to_pylist()
    if not rows:
        raise ModelError(
            f"Table {REFERENCES.name} has nothing of model version {model_version}: it was not trained in this "
            "warehouse. Train and promote a model here."
        )
    return {
        row["column"]: Reference(
            Bins.from_json(row["bins"]), np.array(row["counts"], np.int64), row.get("design_effect") or 1.0
        )
        for row in rows
    }


def _count_columns(rows: DataFrame, bins: Mapping[str, Bins]) -> dict[str, Counts]:
    """Histograms of the columns; each task counts its own rows, and the counts are summed."""
    names = list(bins)

    def count_task(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        totals: dict[str, Any] = {}
        for batch in batches:
            for place, name in enumerate(names):
                totals[name] = totals.get(name, 0) + count(bins[name], batch.column(place))
        texts = [json.dumps(total.tolist()) for total in totals.values()]
        yield pa.record_batch([pa.array(totals, pa.string()), pa.array(texts, pa.string())], schema=COUNTED)

    # By place: mapInArrow does not quote names, and that of a class may hold any character.
    columns = [F.col("`" + name.replace("`", "``") + "`").alias(str(place)) for place, name in enumerate(names)]
    parts = in_tasks(rows.select(*columns), count_task, COUNTED).collect()
    result = {name: np.zeros(column_bins.size, np.int64) for name, column_bins in bins.items()}
    for part in parts:
        result[part["column"]] += np.array(json.loads(part["counts"]), np.int64)
    return result
