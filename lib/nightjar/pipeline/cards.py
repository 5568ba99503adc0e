"""The cards of versions: written when one is registered, and anew when something is decided about it."""

import logging

from nightjar.errors import ModelError
from nightjar.features.definitions import definitions_hash, label_hash
from nightjar.masking.values import masking_of
from nightjar.pipeline.step import Step
from nightjar.registry import events, run_files, verified
from nightjar.registry.events import Version
from nightjar.registry.manifest import Manifest
from nightjar.registry.signature import Subject
from nightjar.report.card import writing
from nightjar.report.card.records import read_records
from nightjar.report.reading import open_tables
from nightjar.runtime import logs
from nightjar.settings.jobs import Job

log = logging.getLogger("nightjar.card")


def write_of_run(step: Step[Job], champion_before: Version | None = None) -> None:
    """Write the cards of all versions that a run has registered or decided about, and of the champion before it.

    A card that cannot be written is logged: the night goes on without.
    """
    versions = {one.number: one for one in events.of_run(step.warehouse, step.run_id)}
    if versions and champion_before is not None:
        versions = {champion_before.number: champion_before} | versions
    for number, version in versions.items():
        try:
            log.info("card of version %s: %s", number, _write(step, version))
        except Exception:
            log.exception("the card of version %s could not be written, and the night goes on without", number)


def _write(step: Step[Job], version: Version) -> str:
    """Write a card into the warehouse, and beside the version's run in MLflow; returns the page's path or address."""
    project = step.project
    manifest, absence = _manifest(step, version)
    is_current = version.is_of(definitions_hash(project), label_hash(project))
    tables = open_tables(step.warehouse, step.run_date, masking_of(project))
    records = read_records(tables, project, version.number, manifest, absence, definitions_differ=not is_current)
    texts = writing.files(records, logs.redact)
    path = writing.write(step.warehouse, texts)
    run_files.attach(step.home, project.name, version.number, texts)
    return path


def _manifest(step: Step[Job], version: Version) -> tuple[Manifest | None, str | None]:
    """The verified manifest, or why there is none."""
    try:
        subject = Subject(step.project.name, version.model_name, version.number)
        return verified.manifest(step.environment, subject), None
    except ModelError as error:
        return None, str(error)
