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
from nightjar.tables.source_definitions import QUALITY
from nightjar.tables.warehouse import Warehouse

log = logging.getLogger("nightjar.features")
SOURCE = "labels"


def count_checks(
    rows: DataFrame, warehouse: Warehouse, project: Project, versions: Mapping[str, int], run_date: date
) -> dict[str, tuple[int, int]]:
    """Check -> (rows that meet it, rows it applies to), of rows whose labels are not final, as known at the run date.

    Empty where neither annotators nor rules make the label. Kappas are logged, as they are no counts.
    """
    label = project.label
    if label.annotators.column:
        answers = answers_now(rows, warehouse, project, versions, run_date)
        collected, names = annotations.collect_answers(answers, label, [*project.spine.key, "prediction_time"])
        for statistic, kappa in annotations.kappas(collected, names).items():
            log.info("labels: %s is %s", statistic, "undefined" if kappa is None else f"{kappa:.3f}")
        return annotations.checks(collected, names, label.annotators.least)
    if label.rules:
        answers = answers_now(rows, warehouse, project, versions, run_date)
        return labelling_rules.count_votes(labelling_rules.add_votes(answers, label.rules), label.rules)
    return {}


def log_nulls(files: Sequence[NewFile]) -> None:
    """Log how many of the new labels are null: such rows are neither trained on nor judged."""
    total = sum(file.rows for file in files)
    nulls = sum(json.loads(file.statistics)["nullCount"]["label"] for file in files)
    if nulls:
        log.info(
            "labels: %s of %s are null (%.1f%%): settled without an outcome",
            f"{nulls:,}",
            f"{total:,}",
            100 * nulls / total,
        )


def record(warehouse: Warehouse, checks: Mapping[str, tuple[int, int]], run_date: date, run_id: str) -> int:
    """Replace the run date's rows about labels in `quality`; return the new version."""
    rows = [
        {"source": SOURCE, "check": check, "rows": count, "of": of, "run_date": run_date, "run_id": run_id}
        for check, (count, of) in checks.items()
    ]
    return arrow.replace(warehouse, QUALITY, rows, {"run_date": run_date, "source": SOURCE}, run_id)
