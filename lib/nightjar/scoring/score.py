"""Score a night: the champion is resolved once, verified, checked against the feature table, and shipped as bytes."""

import logging
from datetime import date
from functools import partial
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import SparkSession

from nightjar.errors import ModelError
from nightjar.models.unseen import reads_native_categories
from nightjar.registry import events, verified
from nightjar.registry.signature import Subject
from nightjar.registry.tiers import columns_of_tiers
from nightjar.scoring.checks import require_fit, require_label, require_lifetime, require_night, sources_lacking_rows
from nightjar.scoring.limits import describe_extremes
from nightjar.scoring.reasons import plan_reasons, with_reasons
from nightjar.scoring.task import score_rows
from nightjar.scoring.unseen import log_unseen
from nightjar.settings.environment import Environment
from nightjar.settings.project import Project
from nightjar.tables import arrow, sink
from nightjar.tables.entries import DataFile
from nightjar.tables.file_splits import read_partition
from nightjar.tables.runs import Outcome
from nightjar.tables.serving_definitions import scores_table
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
    stamps: dict[str, Any] = {"run_date": run_date, "role": role, "served": not retrospective, "run_id": run_id}
    outcome = Outcome(inputs={"features": version}, rows={"scores": len(rows)})
    replaced = partial(_is_of, run_date, role)
    absence = project.spine.absence(run_date)
    if not len(rows) and absence is not None:
        log.info("nothing to score; %s", absence)
        into = sink.target(warehouse, table, **stamps)
        outcome.outputs["scores"] = sink.commit(warehouse, into, [], replaced, run_id, inputs=outcome.inputs)
        return outcome
    champion = events.champion(warehouse, run_date)
    require_lifetime(champion, run_date, retrospective=retrospective)
    artifact = verified.load(environment, Subject(project.name, champion.model_name, champion.number))
    manifest = artifact.manifest
    require_fit(manifest, champion, schema, run_date, project.name)
    require_label(warehouse, manifest, champion, run_date)
    require_night(rows, manifest, champion, run_date, project.name, retrospective=retrospective)
    log_values = (champion.number, champion.model_name, champion.holds_from, f"{len(rows):,}")
    log.info("version %s (%s), champion since %s: %s rows", *log_values)
    lacking = sources_lacking_rows(warehouse, project, manifest, run_date)
    of_model = [*(feature.name for feature in manifest.features), *columns_of_tiers(manifest.thresholds)]
    columns = list(dict.fromkeys([*key, "prediction_time", *of_model]))
    model_stamps = {"model_version": champion.number, "model_name": champion.model_name}
    into = sink.target(warehouse, table, **model_stamps, input_warnings=", ".join(lacking) or None, **stamps)
    reasons = None
    if project.serving.reasons.is_declared() and not retrospective:
        reasons = plan_reasons(warehouse, project, manifest, artifact.open(), champion.number, run_date)
    night = read_partition(spark, warehouse, "features", version, columns, {"run_date": run_date})
    try:
        task = with_reasons(score_rows(project, key, night.make, artifact, reasons), artifact.open, reasons)
        written = sink.collect(night.task_input, task, into)
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
