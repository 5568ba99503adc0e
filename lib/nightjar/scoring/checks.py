"""What has to hold before a night is scored by a version."""

import logging
from datetime import date, datetime
from typing import Any

import pyarrow as pa

from nightjar.errors import ModelError, TableError
from nightjar.models.columns import difference
from nightjar.registry import events
from nightjar.registry.lifetime import lifetime, require_unexpired
from nightjar.registry.manifest import Manifest
from nightjar.registry.tiers import columns_of_tiers
from nightjar.settings.project import Project
from nightjar.tables import labels, quality
from nightjar.tables.warehouse import Warehouse

log = logging.getLogger("nightjar.score")


def _rebuild_advice(project: str, run_date: date) -> str:
    """The command with which an edited project continues."""
    return (
        "To build features as the project says now, train on them and score: "
        f"python jobs/nightly.py project={project} run_date={run_date} "
        "only=[build_features,train,promote,score,monitor]"
    )


def require_lifetime(champion: events.Version, run_date: date, *, retrospective: bool) -> None:
    """Refuse an expired champion, unless for scores that nobody is served; log what is due."""
    if not retrospective:
        require_unexpired(champion.number, champion.evidence, run_date)
    dates = lifetime(champion.evidence)
    if dates.is_due(run_date):
        log.warning("champion version %s: %s", champion.number, dates.describe(run_date))


def require_fit(manifest: Manifest, champion: events.Version, schema: pa.Schema, run_date: date, project: str) -> None:
    lacking = [name for name in columns_of_tiers(manifest.thresholds) if name not in schema.names]
    differences = [
        *difference(manifest.features, schema),
        *(f"{name}: missing, by which its tiers decide" for name in lacking),
    ]
    if differences:
        raise ModelError(
            f"Champion version {champion.number} ({champion.model_name}) does not fit table features: "
            f"{'; '.join(differences)}. No score was written. {_rebuild_advice(project, run_date)}"
        )


def require_label(warehouse: Warehouse, manifest: Manifest, champion: events.Version, run_date: date) -> None:
    stored = labels.single_hash(warehouse)
    if None not in (stored, manifest.label_hash) and stored != manifest.label_hash:
        raise ModelError(
            f"Champion version {champion.number} was trained on labels of definition {str(manifest.label_hash)[:12]}, "
            f"but those that are stored are of {str(stored)[:12]}: it predicts something else. No score was written. "
            f"{_rebuild_advice(warehouse.project, run_date)}"
        )


def require_night(
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


def sources_lacking_rows(warehouse: Warehouse, project: Project, manifest: Manifest, run_date: date) -> list[str]:
    """The sources that the champion's features need and of which too little arrived for the night."""
    needed = project.sources_of([feature.name for feature in manifest.features])
    lacking = {name: amiss for name, amiss in quality.warnings(warehouse, run_date).items() if name in needed}
    for name, amiss in sorted(lacking.items()):
        log.warning("scores are marked: source %s brought %s", name, amiss)
    return sorted(lacking)
