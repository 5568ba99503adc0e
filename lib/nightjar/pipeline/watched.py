"""What decides whether a step that is done has to be run again: its settings, and files of tables.

A file matters to a step of a date where it may hold rows of that date, or facts known by its cutoff.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date

from nightjar.settings import secrets
from nightjar.settings.jobs import Job, JobName
from nightjar.settings.project import Project
from nightjar.settings.validation import dump
from nightjar.tables.entries import DataFile
from nightjar.tables.source_definitions import source_table_name
from nightjar.timeline import cutoff

Matters = Callable[[DataFile], bool]
OF_SOURCES = ("name", "zone", "sources")
OF_FEATURES = (*OF_SOURCES, "spine", "label", "features", "expressions")
PARTS = {JobName.INGEST: OF_SOURCES, JobName.BUILD_FEATURES: OF_FEATURES}
"""Step -> the parts of a project that decide its result; of all other steps every part but `NOT_DECISIVE`."""
OF_MONITOR = "monitoring"
"""The part of a project that decides what monitor gives, and no other step."""
NOT_DECISIVE = ("first_date", "last_date", "history_until", "first_night", "nights", "card")
OF_RUN = ("environment", "run_date", "since", "project")
"""Settings of a job that say where, for which date and for which project it runs."""


@dataclass(frozen=True)
class Watched:
    """The files that matter to a step of a date: of the tables that it reads, and of those that it writes."""

    inputs: Mapping[str, Matters]
    outputs: Mapping[str, Matters]


def settings_hash(name: JobName, settings: Job) -> str:
    """SHA-256 of the settings that decide a step's result, without secrets, dates and the machine."""
    project = dump(_without_sinks(settings.project), dict.fromkeys(NOT_DECISIVE, True))
    parts = PARTS.get(name, tuple(part for part in project if part != OF_MONITOR or name is JobName.MONITOR))
    plain = {"project": {part: project[part] for part in parts if part in project}}
    plain["job"] = dump(settings, dict.fromkeys(OF_RUN, True))
    return hashlib.sha256(json.dumps(secrets.mask(plain), sort_keys=True).encode()).hexdigest()


def _without_sinks(project: Project) -> Project:
    """The project without the sinks of its alerts: where word of a night is sent is no part of its result."""
    alerting = replace(project.monitoring.alerting, sinks={})
    return replace(project, monitoring=replace(project.monitoring, alerting=alerting))


def watched(name: JobName, project: Project, run_date: date) -> Watched:
    """What matters to a step; nothing of jobs that are no step of a night."""

    def of_night(file: DataFile) -> bool:
        return bool(file.partition["run_date"] == run_date)

    def of_past(file: DataFile) -> bool:
        return bool(file.partition["run_date"] < run_date)

    def until_night(file: DataFile) -> bool:
        return of_past(file) or of_night(file)

    def scored(file: DataFile) -> bool:
        return of_night(file) and file.partition["role"] != "retrospective"

    def scored_by_then(file: DataFile) -> bool:
        return until_night(file) and file.partition["role"] != "retrospective"

    def first_seen(file: DataFile) -> bool:
        return bool(file.partition["ingested_on"] == run_date)

    def facts_by_then(file: DataFile) -> bool:
        return file.may_hold("known_at", until=cutoff(run_date, project.zone))

    def holds_by_then(file: DataFile) -> bool:
        return file.may_hold("holds_from", until=run_date)

    def holds_from_then(file: DataFile) -> bool:
        return file.may_hold("holds_from", run_date, run_date)

    sources = [source_table_name(source) for source in project.sources]
    versions = {"model_events": holds_by_then}
    past = {"features": until_night, "labels": until_night, "scores": scored_by_then}
    steps = {
        JobName.INGEST: Watched({}, dict.fromkeys(sources, first_seen)),
        JobName.BUILD_FEATURES: Watched(
            dict.fromkeys(sources, facts_by_then), {"features": of_night, "labels": of_night}
        ),
        JobName.TRAIN: Watched({"features": of_past, "labels": until_night}, {}),
        JobName.PROMOTE: Watched({"model_events": holds_from_then}, {}),
        JobName.SCORE: Watched({"features": of_night} | versions, {"scores": scored}),
        JobName.MONITOR: Watched(past | versions, {"drift": of_night, "performance": of_night}),
    }
    return steps.get(name, Watched({}, {}))
