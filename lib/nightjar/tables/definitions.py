"""Every Delta table: name, columns, key, partitioning and the job that writes it. The contract with data engineers.

All instants are UTC with microseconds. `run_date` is a local date in the project's zone.
"""

from collections.abc import Mapping

import pyarrow as pa

from nightjar.settings.project import Project
from nightjar.settings.task import Task
from nightjar.tables.monitoring_definitions import DRIFT, PERFORMANCE, REFERENCES, SIGNALS, TRIGGERS, VERDICTS
from nightjar.tables.serving_definitions import ALERTS, EXPERIMENTS, INPUTS, NOTIFICATIONS, RETRACTIONS
from nightjar.tables.source_definitions import CORRECTIONS, INTAKE, QUALITY, QUARANTINE, REPAIRS
from nightjar.tables.table import COUNTS, INSTANT, RUN_DATE, RUN_ID, SECONDS, TEXTS, Column, Table, columns_of

LABEL_KINDS: Mapping[Task, pa.DataType] = {Task.CLASSIFICATION: pa.bool_(), Task.MULTICLASS: pa.string()}
"""Task -> how its labels are stored, where they are no doubles."""
MODEL_EVENTS = Table(
    "model_events",
    "One registration, alias move or refusal, with its evidence and the run date from which it holds.",
    ("event_id",),
    (),
    "train, promote, monitor",
    (
        Column("event_id", pa.string(), "names the event"),
        Column(
            "event",
            pa.string(),
            "registered, approved, promoted or refused; of those that score beside the champion assigned, shared "
            "(another share of the entities is served), rolled_back or withdrawn; of any stopped (nobody is served by "
            "it) or resumed",
        ),
        Column(
            "alias",
            pa.string(),
            "the alias that moved: champion, challenger or shadow; of a registration null, or stand_in for the "
            "baseline beside it; of what stops a version null",
        ),
        Column("model_version", pa.string(), "registered version of the model"),
        Column("model_name", pa.string(), "name of the candidate that it is"),
        Column("holds_from", pa.date32(), "first run date for which it holds"),
        Column("evidence", pa.string(), "figures and reasons as JSON"),
        Column("recorded_at", INSTANT, "when it was recorded (wall clock)"),
        RUN_ID,
    ),
)
RUNS = Table(
    "runs",
    "One finished run of one job.",
    ("run_id",),
    (),
    "every job",
    (
        Column("run_id", pa.string(), "names the run"),
        Column("job", pa.string(), "name of the job"),
        RUN_DATE,
        Column("status", pa.string(), "done, failed or interrupted"),
        Column("error", pa.string(), "what it failed with, null when done"),
        Column("code_revision", pa.string(), "revision of the code, with + when files differed from it"),
        Column("config_hash", pa.string(), "SHA-256 of the composed configuration"),
        Column("zone_data", pa.string(), "version of the IANA database of time zones, such as 2025b"),
        Column("inputs", COUNTS, "table -> Delta version that was read"),
        Column("outputs", COUNTS, "table -> Delta version that was written"),
        Column("rows", COUNTS, "what was counted -> rows"),
        Column("started_at", INSTANT, "wall clock"),
        Column("seconds", pa.float64(), "wall time"),
        Column("since", pa.date32(), "first date of a range that it did at once; null: its run date alone"),
        Column("settings_hash", pa.string(), "SHA-256 of the settings that decide its result; null: not recorded"),
        Column("watched", COUNTS, "table -> Delta version as it began, of those that decide whether to run it again"),
        Column("notes", TEXTS, "of a nightly: step and date -> why it was run, or was not"),
        Column("rows_per_second", pa.float64(), "all rows that it counted, by its wall time; null: it counted none"),
        Column(
            "stages",
            SECONDS,
            "what took its time: call site of Spark's stages -> their wall time, that of stages side by side once; "
            "driver: the rest; null: no Spark",
        ),
        Column("spilled_bytes", pa.int64(), "what Spark's tasks put on disk for want of memory; null: no Spark"),
        Column(
            "skew",
            pa.float64(),
            "of the longest of Spark's stages with several tasks, its longest task by its median task; null: none",
        ),
        Column(
            "peak_memory_bytes",
            pa.int64(),
            "the most memory that its process held together with those it had started (Java, Python, Ray) on the "
            "driver's machine, by looks every two seconds; null: the system does not tell",
        ),
    ),
)
LEASES = Table(
    "leases",
    "Who works, or last worked, on what alone. The version that grants a lease is its token.",
    ("resource",),
    (),
    "every job",
    (
        Column("resource", pa.string(), "a job and date, such as score/2024-04-01, or what several dates write"),
        Column("job", pa.string(), "name of the holder's job"),
        RUN_DATE,
        RUN_ID,
        Column("alive", pa.string(), "the run that gives signs of life for it: itself, or the nightly it is a step of"),
        Column("host", pa.string(), "machine of the holder, by its own name"),
        Column("pid", pa.int64(), "process of the holder, in its own count"),
        Column("taken_at", INSTANT, "wall clock of the holder, for people: no run judges by it"),
        Column("released_at", INSTANT, "the same; null: held"),
        Column("freed", pa.string(), "by whom and why it was freed by hand; null: it was not"),
    ),
)
BEATS = Table(
    "beats",
    "No rows: each commit is a sign of life of a run that holds leases.",
    ("run_id",),
    (),
    "every job",
    (RUN_ID,),
    {"delta.logRetentionDuration": "interval 1 days", "delta.enableExpiredLogCleanup": "true"},
)
# No row lies in `beats`, and its log cleans itself: upkeep has nothing to do there.
FIXED = (
    QUARANTINE,
    CORRECTIONS,
    QUALITY,
    REPAIRS,
    INTAKE,
    REFERENCES,
    DRIFT,
    PERFORMANCE,
    SIGNALS,
    VERDICTS,
    TRIGGERS,
    ALERTS,
    NOTIFICATIONS,
    INPUTS,
    EXPERIMENTS,
    RETRACTIONS,
    MODEL_EVENTS,
    RUNS,
    LEASES,
)


def features_table(project: Project, spine: pa.Schema, features: pa.Schema) -> Table:
    """The feature table.

    Args:
        project: the project.
        spine: the spine's columns without the prediction time.
        features: columns that the point-in-time join adds.
    """
    return Table(
        "features",
        "One row to predict, with all its features as of its prediction time.",
        (*project.spine.key, "prediction_time"),
        ("run_date",),
        "build_features",
        (
            Column("prediction_time", INSTANT, "only what was known at this instant is in the row"),
            *columns_of(spine, "of the row to predict"),
            *columns_of(features, "as of prediction_time"),
            Column("definitions_hash", pa.string(), "SHA-256 of the feature definitions that built the row"),
            RUN_DATE,
            RUN_ID,
        ),
    )


def labels_table(project: Project, spine: pa.Schema) -> Table:
    """The label table; `spine` holds the types of the spine's key columns."""
    kind = LABEL_KINDS.get(project.label.task, pa.float64())
    return Table(
        "labels",
        "One version of one outcome.",
        (*project.spine.key, "prediction_time", "label_known_at"),
        ("run_date",),
        "build_features",
        (
            Column("prediction_time", INSTANT, "of the row that is labelled"),
            *columns_of(spine, "key of the row"),
            Column("label", kind, f"the outcome: {project.label.question()}; null: settled without one"),
            *_acted_column(project),
            Column("label_known_at", INSTANT, "when the outcome was known, or settled as null"),
            Column("label_hash", pa.string(), "SHA-256 of the label's definition; null: older than such hashes"),
            Column(
                "run_date",
                pa.date32(),
                "the run that first knew it, or that built all again after an edit of the label",
            ),
            RUN_ID,
        ),
    )


def _acted_column(project: Project) -> tuple[Column, ...]:
    if project.label.acted.column is None:
        return ()
    meaning = "whether somebody has acted on the row's score, which may have changed the outcome; null: not recorded"
    return (Column("acted", pa.bool_(), meaning),)
