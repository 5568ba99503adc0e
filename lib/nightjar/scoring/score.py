"""Score a night: the champion is resolved once, checked against the table, and shipped to the tasks as bytes."""

import logging
import tempfile
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import SparkSession
from pyspark.sql import functions as F  # noqa: N812
from pyspark.sql.pandas.types import from_arrow_schema

from nightjar.errors import ModelError, TableError
from nightjar.models.columns import difference
from nightjar.models.predictor import Predictor
from nightjar.registry import artifacts, events, tracking
from nightjar.registry.artifacts import Manifest
from nightjar.scoring.identity import prediction_ids
from nightjar.settings.project import Project
from nightjar.tables import arrow, delta
from nightjar.tables.definitions import INSTANT, scores_table
from nightjar.tables.ledger import Outcome
from nightjar.tables.warehouse import Warehouse

log = logging.getLogger("nightjar.score")
Task = Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]


def score(
    spark: SparkSession,
    warehouse: Warehouse,
    project: Project,
    run_date: date,
    run_id: str,
    home: Path,
    *,
    retrospective: bool,
) -> Outcome:
    """One score per row of `features` of the run date, by the champion that holds then.

    Raises:
        ModelError: no champion holds, or it does not fit the feature table, or it has seen later data.
        TableError: the night has no features.
    """
    champion = events.champion(warehouse, run_date)
    folder = tracking.fetch(home, project.name, champion.number)
    manifest = artifacts.read_manifest(folder)
    version = arrow.version(warehouse, "features")
    schema = arrow.schema(warehouse, "features", version)
    _require_fit(manifest, champion, schema)
    rows = arrow.read(
        warehouse, "features", ["prediction_time", "definitions_hash"], pc.field("run_date") == run_date, version
    )
    _require_night(rows, manifest, champion, run_date, retrospective=retrospective)
    role = "retrospective" if retrospective else "champion"
    told = (champion.number, champion.model_name, champion.holds_from, f"{len(rows):,}")
    log.info("version %s (%s), champion since %s: %s rows", *told)
    key = [*project.spine.key]
    key_types = pa.schema([schema.field(name) for name in key])
    table = scores_table(project, key_types)
    columns = list(dict.fromkeys([*key, "prediction_time", *(feature.name for feature in manifest.features)]))
    night = delta.read(spark, warehouse, "features", version).where(F.col("run_date") == F.lit(run_date))
    scored = night.select(*columns).mapInArrow(
        _task(project.name, key, key_types, _contents(folder)), from_arrow_schema(_scored_schema(key_types))
    )
    complete = (
        scored.withColumn("model_version", F.lit(champion.number))
        .withColumn("model_name", F.lit(champion.model_name))
        .withColumn("run_date", F.lit(run_date))
        .withColumn("role", F.lit(role))
        .withColumn("run_id", F.lit(run_id))
    )
    where = f"run_date = DATE '{run_date}' AND role = '{role}'"
    outcome = Outcome(inputs={"features": version}, rows={"scores": len(rows)})
    outcome.outputs["scores"] = delta.replace(complete, warehouse, table, where)
    return outcome


def _require_fit(manifest: Manifest, champion: events.Version, schema: pa.Schema) -> None:
    found = difference(manifest.features, schema)
    if found:
        raise ModelError(
            f"Champion version {champion.number} ({champion.model_name}) does not fit table features: "
            f"{'; '.join(found)}. Build features with the definitions it was trained on, or train and promote a new "
            "one. No score was written."
        )


def _require_night(
    rows: pa.Table, manifest: Manifest, champion: events.Version, run_date: date, *, retrospective: bool
) -> None:
    if not len(rows):
        raise TableError(f"Table features has no row for {run_date}. Run: jobs/build_features.py run_date={run_date}")
    built_with: list[Any] = rows["definitions_hash"].to_pylist()
    hashes = set(built_with)
    if hashes != {manifest.definitions_hash}:
        raise ModelError(
            f"Champion version {champion.number} was trained on feature definitions {manifest.definitions_hash[:12]}, "
            f"but the features of {run_date} were built with {', '.join(sorted(one[:12] for one in hashes))}: columns "
            "of one name need not mean the same. Train and promote a model on the new ones. No score was written."
        )
    times: list[Any] = rows["prediction_time"].to_pylist()
    earliest = min(times)
    if datetime.fromisoformat(manifest.data_cutoff) > earliest and not retrospective:
        raise ModelError(
            f"Champion version {champion.number} has learned from data until {manifest.data_cutoff}, later than the "
            f"prediction time {earliest.isoformat()}: its scores of {run_date} would not be honest. "
            "To compute them all the same, under the role retrospective: retrospective=true"
        )


def _contents(folder: Path) -> dict[str, bytes]:
    """The artifact's own files; executors need neither MLflow nor a shared disk."""
    listed = [artifacts.MANIFEST, *artifacts.read_manifest(folder).files]
    return {name: (folder / name).read_bytes() for name in listed}


def _scored_schema(key_types: pa.Schema) -> pa.Schema:
    first: list[Any] = [pa.field("prediction_id", pa.string()), pa.field("prediction_time", INSTANT)]
    return pa.unify_schemas([pa.schema(first), key_types.remove_metadata(), pa.schema({"score": pa.float64()})])


def _task(project: str, key: list[str], key_types: pa.Schema, contents: Mapping[str, bytes]) -> Task:
    schema = _scored_schema(key_types)

    def score_batches(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        predictor = None
        for batch in batches:
            predictor = predictor or _opened(contents)
            table = pa.Table.from_batches([batch])
            columns = table.select(["prediction_time", *key])
            ids = pa.array(prediction_ids(project, columns.select([*key, "prediction_time"])), pa.string())
            scored = columns.append_column("score", pa.array(predictor.predict(table)))
            yield from scored.add_column(0, "prediction_id", ids).cast(schema).combine_chunks().to_batches()

    return score_batches


def _opened(contents: Mapping[str, bytes]) -> Predictor:
    with tempfile.TemporaryDirectory(prefix="nightjar-model-") as folder:
        for name, content in contents.items():
            (Path(folder) / name).write_bytes(content)
        return artifacts.load(Path(folder))
