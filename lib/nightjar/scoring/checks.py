"""What has to hold before a night is scored by a version."""

import logging
from dataclasses import dataclass
from datetime import date, datetime

from nightjar.errors import ModelError
from nightjar.models.columns import difference
from nightjar.registry.events import Version
from nightjar.registry.lifetime import lifetime, require_unexpired
from nightjar.registry.manifest import Manifest
from nightjar.registry.tiers import columns_of_tiers
from nightjar.scoring.night import Night
from nightjar.settings.project import Project
from nightjar.settings.serving.abstention import Abstention
from nightjar.tables import labels, quality
from nightjar.tables.warehouse import Warehouse

log = logging.getLogger("nightjar.score")


@dataclass(frozen=True)
class Holder:
    """A version, and as what it scores.

    Attributes:
        title: in words, such as `champion`.
    """

    title: str
    version: Version

    def __str__(self) -> str:
        """In words, as a sentence begins."""
        title = f"{self.title} version {self.version.number}"
        return title[0].upper() + title[1:]


def require_usable(night: Night, holder: Holder, manifest: Manifest, *, retrospective: bool = False) -> None:
    """Refuse a version that cannot score a night, or whose scores of it would not mean what they say.

    Raises:
        ModelError: it does not fit the table of features, or was trained on another label or by other definitions of
            the features, or has learned from later data than the night's, which only `retrospective` scores may.
    """
    _require_fit(night, holder, manifest)
    _require_label(night, holder, manifest)
    _require_night(night, holder, manifest, retrospective=retrospective)


def require_lifetime(holder: Holder, run_date: date, *, retrospective: bool = False) -> None:
    """Refuse an expired version, unless for scores that nobody is served; log what is due.

    Raises:
        ModelError: it has expired.
    """
    evidence = holder.version.evidence
    if not retrospective:
        require_unexpired(str(holder), evidence, run_date)
    dates = lifetime(evidence)
    if dates.is_due(run_date):
        log.warning("%s version %s: %s", holder.title, holder.version.number, dates.describe(run_date))


def log_unknown(manifest: Manifest, version: str, abstention: Abstention) -> None:
    """Warn of what is not known of a version that rows are to abstain by."""
    if abstention.spread is not None and not manifest.structure.get("members"):
        log.warning("version %s has no members: no row abstains because these differ (abstention.spread)", version)
    if abstention.out_of_range and not manifest.ranges and manifest.features:
        log.warning("version %s was trained before ranges were asked for: all rows abstain. Train again", version)
    amiss = "it was trained before sets were asked for" if manifest.sets is None else manifest.sets.unknown()
    if abstention.error is not None and amiss is not None:
        log.warning("the sets of version %s are UNKNOWN, and all rows abstain: %s", version, amiss)


def sources_lacking_rows(warehouse: Warehouse, project: Project, manifest: Manifest, run_date: date) -> list[str]:
    """The sources that the model's features need and of which too little arrived for the night."""
    needed = project.sources_of([feature.name for feature in manifest.features])
    lacking = {name: amiss for name, amiss in quality.warnings(warehouse, run_date).items() if name in needed}
    for name, amiss in sorted(lacking.items()):
        log.warning("scores are marked: source %s brought %s", name, amiss)
    return sorted(lacking)


def _rebuild_advice(night: Night) -> str:
    """The command with which an edited project continues."""
    return (
        "To build features as the project says now, train on them and score: "
        f"python jobs/nightly.py project={night.project.name} run_date={night.run_date} "
        "only=[build_features,train,promote,score,monitor]"
    )


def _require_fit(night: Night, holder: Holder, manifest: Manifest) -> None:
    lacking = [name for name in columns_of_tiers(manifest.thresholds) if name not in night.schema.names]
    differences = [
        *difference(manifest.features, night.schema),
        *(f"{name}: missing, by which its tiers decide" for name in lacking),
    ]
    if differences:
        raise ModelError(
            f"{holder} ({holder.version.model_name}) does not fit table features: {'; '.join(differences)}. "
            f"{_rebuild_advice(night)}"
        )


def _require_label(night: Night, holder: Holder, manifest: Manifest) -> None:
    stored = labels.single_hash(night.warehouse)
    if None not in (stored, manifest.label_hash) and stored != manifest.label_hash:
        raise ModelError(
            f"{holder} was trained on labels of definition {str(manifest.label_hash)[:12]}, but those that are stored "
            f"are of {str(stored)[:12]}: it predicts something else. {_rebuild_advice(night)}"
        )


def _require_night(night: Night, holder: Holder, manifest: Manifest, *, retrospective: bool) -> None:
    if night.definitions != {manifest.definitions_hash}:
        raise ModelError(
            f"{holder} was trained on feature definitions {manifest.definitions_hash[:12]}, but the features of "
            f"{night.run_date} were built with {', '.join(sorted(digest[:12] for digest in night.definitions))}: "
            f"columns of one name need not mean the same. {_rebuild_advice(night)}"
        )
    earliest = night.earliest
    if earliest is not None and datetime.fromisoformat(manifest.data_cutoff) > earliest and not retrospective:
        raise ModelError(
            f"{holder} has learned from data until {manifest.data_cutoff}, later than the prediction time "
            f"{earliest.isoformat()}: its scores of {night.run_date} would not be honest. "
            "To compute them all the same, under the role retrospective: retrospective=true"
        )
