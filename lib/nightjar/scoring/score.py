"""Score a night: the champion is resolved once, verified, checked against the feature table, and shipped as bytes."""

import logging
from collections.abc import Iterator
from datetime import date, datetime
from functools import partial
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import SparkSession

from nightjar.errors import ModelError, TableError
from nightjar.models.columns import difference
from nightjar.models.unseen import reads_native_categories, unseen_texts
from nightjar.registry import events, verified
from nightjar.registry.artifacts import Artifact
from nightjar.registry.lifetime import lifetime, require_unexpired
from nightjar.registry.manifest import Manifest
from nightjar.registry.signature import Subject
from nightjar.registry.tiers import columns_of_tiers
from nightjar.scoring.assignment import add_assignments
from nightjar.scoring.identity import prediction_ids
from nightjar.scoring.limits import describe_extremes
from nightjar.scoring.predictions import prediction_columns
from nightjar.scoring.unseen import log_unseen
from nightjar.settings.environment import Environment
from nightjar.settings.project import Project
from nightjar.tables import arrow, labels, quality, sink
from nightjar.tables.definitions import scores_table
from nightjar.tables.entries import DataFile
from nightjar.tables.file_splits import read_partition
from nightjar.tables.rows import TaskFunction
from nightjar.tables.runs import Outcome
from nightjar.tables.warehouse import Warehouse

log = logging.getLogger("nightjar.score")


def score(
    spark: SparkSession,
    warehouse: Warehouse,
    project: Project,
    run_date: date,
    run_id: str,
    environment: Environment,
    *,
    retrospective: bool,
) -> Outcome:
    """One score per row of `features` of the run date, by the champion of that date.

    Where the spine has no rows on the date's weekday there are no scores, and those of an earlier run are removed.

    Raises:
        ModelError: there is no champion, it cannot be trusted, does not fit the feature table, has seen later data, or
            cannot compute with a number of the night.
        TableError: the night has no features though its weekday has rows.
    """
    version, role = arrow.version(warehouse, "features"), "retrospective" if retrospective else "champion"
    schema = arrow.schema(warehouse, "features", version)
    rows = arrow.read(
        warehouse, "features", ["prediction_time", "definitions_hash"], pc.field("run_date") == run_date, version
    )
    key = [*project.spine.key]
    table = scores_table(project, pa.schema([schema.field(name) for name in key]))
    stamps: dict[str, Any] = {"run_date": run_date, "role": role, "run_id": run_id}
    outcome = Outcome(inputs={"features": version}, rows={"scores": len(rows)})
    replaced = partial(_is_of, run_date, role)
    absence = project.spine.absence(run_date)
    if not len(rows) and absence is not None:
        log.info("nothing to score; %s", absence)
        into = sink.target(warehouse, table, **stamps)
        outcome.outputs["scores"] = sink.commit(warehouse, into, [], replaced, run_id, inputs=outcome.inputs)
        return outcome
    champion = events.champion(warehouse, run_date)
    _require_lifetime(champion, run_date, retrospective=retrospective)
    artifact = verified.load(environment, Subject(project.name, champion.model_name, champion.number))
    manifest = artifact.manifest
    _require_fit(manifest, champion, schema, run_date, project.name)
    _require_label(warehouse, manifest, champion, run_date)
    _require_night(rows, manifest, champion, run_date, project.name, retrospective=retrospective)
    log_values = (champion.number, champion.model_name, champion.holds_from, f"{len(rows):,}")
    log.info("version %s (%s), champion since %s: %s rows", *log_values)
    lacking = _sources_lacking_rows(warehouse, project, manifest, run_date)
    of_model = [*(feature.name for feature in manifest.features), *columns_of_tiers(manifest.thresholds)]
    columns = list(dict.fromkeys([*key, "prediction_time", *of_model]))
    model_stamps = {"model_version": champion.number, "model_name": champion.model_name}
    into = sink.target(warehouse, table, **model_stamps, input_warnings=", ".join(lacking) or None, **stamps)
    night = read_partition(spark, warehouse, "features", version, columns, {"run_date": run_date})
    try:
        written = sink.collect(night.task_input, _task(project, key, night.make, artifact), into)
    except ModelError as error:
        night_rows = arrow.read(warehouse, "features", columns, pc.field("run_date") == run_date, version)
        culprits = describe_extremes(night_rows, manifest.features, [*key, "prediction_time"])
        raise ModelError(f"{error} {culprits}No score of {run_date} was written.") from error
    outcome.outputs["scores"] = sink.commit(warehouse, into, written, replaced, run_id, inputs=outcome.inputs)
    if reads_native_categories(manifest.structure):
        log_unseen(warehouse, outcome.outputs["scores"], run_date, role)
    return outcome


def _is_of(run_date: date, role: str, file: DataFile) -> bool:
    return file.partition == {"run_date": run_date, "role": role}


def _rebuild_advice(project: str, run_date: date) -> str:
    """The command with which an edited project continues."""
    return (
        "To build features as the project says now, train on them and score: "
        f"python jobs/nightly.py project={project} run_date={run_date} "
        "only=[build_features,train,promote,score,monitor]"
    )


def _require_lifetime(champion: events.Version, run_date: date, *, retrospective: bool) -> None:
    """Refuse an expired champion, unless for scores that nobody is served; log what is due."""
    if not retrospective:
        require_unexpired(champion.number, champion.evidence, run_date)
    dates = lifetime(champion.evidence)
    if dates.is_due(run_date):
        log.warning("champion version %s: %s", champion.number, dates.describe(run_date))


def _require_fit(manifest: Manifest, champion: events.Version, schema: pa.Schema, run_date: date, project: str) -> None:
    lacking = [name for name in columns_of_tiers(manifest.thresholds) if name not in schema.names]
    differences = [
        *difference(manifest.features, schema),
        *(f"{name}: missing, by which its tiers tell groups apart" for name in lacking),
    ]
    if differences:
        raise ModelError(
            f"Champion version {champion.number} ({champion.model_name}) does not fit table features: "
            f"{'; '.join(differences)}. No score was written. {_rebuild_advice(project, run_date)}"
        )


def _require_label(warehouse: Warehouse, manifest: Manifest, champion: events.Version, run_date: date) -> None:
    stored = labels.single_hash(warehouse)
    if None not in (stored, manifest.label_hash) and stored != manifest.label_hash:
        raise ModelError(
            f"Champion version {champion.number} was trained on labels of definition {str(manifest.label_hash)[:12]}, "
            f"but those that are stored are of {str(stored)[:12]}: it predicts something else. No score was written. "
            f"{_rebuild_advice(warehouse.project, run_date)}"
        )


def _require_night(
    rows: pa.Table, manifest: Manifest, champion: events.Version, run_date: date, project: str, *, retrospective: bool
) -> None:
    if not len(rows):
        raise TableError(f"Table features has no row for {run_date}. Run: jobs/build_features.py run_date={run_date}")
    built_with: list[Any] = rows["definitions_hash"].to_pylist()
    hashes = set(built_with)
    if hashes != {manifest.definitions_hash}:
        raise ModelError(
            f"Champion version {champion.number} was trained on feature definitions {manifest.definitions_hash[:12]}, "
            f"but the features of {run_date} were built with {', '.join(sorted(digest[:12] for digest in hashes))}: "
            f"columns of one name need not mean the same. No score was written. {_rebuild_advice(project, run_date)}"
        )
    times: list[Any] = rows["prediction_time"].to_pylist()
    earliest = min(times)
    if datetime.fromisoformat(manifest.data_cutoff) > earliest and not retrospective:
        raise ModelError(
            f"Champion version {champion.number} has learned from data until {manifest.data_cutoff}, later than the "
            f"prediction time {earliest.isoformat()}: its scores of {run_date} would not be honest. "
            "To compute them all the same, under the role retrospective: retrospective=true"
        )


def _sources_lacking_rows(warehouse: Warehouse, project: Project, manifest: Manifest, run_date: date) -> list[str]:
    """The sources that the champion's features need and of which too little arrived for the night."""
    needed = project.sources_of([feature.name for feature in manifest.features])
    lacking = {name: amiss for name, amiss in quality.warnings(warehouse, run_date).items() if name in needed}
    for name, amiss in sorted(lacking.items()):
        log.warning("scores are marked: source %s brought %s", name, amiss)
    return sorted(lacking)


def _task(project: Project, key: list[str], read: TaskFunction, artifact: Artifact) -> TaskFunction:
    def score_share(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.Table]:
        predictor = None
        for rows in read(batches):
            predictor = predictor or artifact.open()
            columns = rows.select(["prediction_time", *key])
            ids = pa.array(prediction_ids(project.name, columns.select([*key, "prediction_time"])), pa.string())
            columns = columns.append_column("unseen_levels", unseen_texts(predictor, rows))
            scores, with_tier = predictor.predict(rows), bool(project.decision_tiers())
            for name, values in prediction_columns(scores, rows, artifact.manifest, with_tier=with_tier).items():
                columns = columns.append_column(name, values)
            columns = columns.append_column("prediction_id", ids)
            yield add_assignments(columns, project.name, key, project.feedback)

    return score_share
