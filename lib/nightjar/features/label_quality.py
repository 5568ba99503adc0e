"""How far annotators or labelling rules can be trusted: counted in `quality` with each build, kappas in its log."""

import json
import logging
from collections.abc import Mapping, Sequence
from datetime import date

from pyspark.sql import DataFrame

from nightjar.features import annotations, labelling_rules
from nightjar.features.labels import answers_now
from nightjar.settings.project import Project
from nightjar.tables import arrow
from nightjar.tables.datafiles import NewFile
from nightjar.tables.definitions import QUALITY
from nightjar.tables.warehouse import Warehouse

log = logging.getLogger("nightjar.features")
SOURCE = "labels"


def counted(
    rows: DataFrame, warehouse: Warehouse, project: Project, versions: Mapping[str, int], run_date: date
) -> dict[str, tuple[int, int]]:
    """What was counted -> (rows, of how many), of the rows whose labels are not final, as known at the run date.

    Nothing where a label is given, and nobody votes on it. Kappas, being no counts, are logged.
    """
    label = project.label
    if label.annotators.column:
        answers = answers_now(rows, warehouse, project, versions, run_date)
        said, names = annotations.collected(answers, [*project.spine.key, "prediction_time"])
        for what, kappa in annotations.kappas(said, names).items():
            log.info("labels: %s is %s", what, "undefined" if kappa is None else f"{kappa:.3f}")
        return annotations.checks(said, names, label.annotators.least)
    if label.rules:
        answers = answers_now(rows, warehouse, project, versions, run_date)
        return labelling_rules.counted(labelling_rules.voted(answers, label.rules), label.rules)
    return {}


def tell_nulls(files: Sequence[NewFile]) -> None:
    """Log how many of the labels that have become known are null: neither trained on nor judged."""
    known = sum(file.rows for file in files)
    nulls = sum(json.loads(file.statistics)["nullCount"]["label"] for file in files)
    if nulls:
        log.info(
            "labels: %s of %s are null (%.1f%%): settled without an outcome",
            f"{nulls:,}",
            f"{known:,}",
            100 * nulls / known,
        )


def record(warehouse: Warehouse, checks: Mapping[str, tuple[int, int]], run_date: date, run_id: str) -> int:
    """Replace what `quality` says of the run date's labels; the new version."""
    rows = [
        {"source": SOURCE, "check": check, "rows": count, "of": of, "run_date": run_date, "run_id": run_id}
        for check, (count, of) in checks.items()
    ]
    return arrow.replace(warehouse, QUALITY, rows, {"run_date": run_date, "source": SOURCE}, run_id)
