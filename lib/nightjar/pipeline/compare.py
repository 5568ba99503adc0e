"""The job compare: trainings side by side, printed and as a page; it writes no table."""

import logging
from datetime import date
from pathlib import Path

import pyarrow as pa
from rich.console import Console

from nightjar.errors import ModelError, UsageError
from nightjar.evaluation.criteria import standard_of
from nightjar.features.definitions import label_hash
from nightjar.masking.values import masking_of
from nightjar.pipeline.execution import Context, optional_date
from nightjar.registry import run_files
from nightjar.report import page, terminal
from nightjar.report.comparison import pairs
from nightjar.report.comparison.page import document
from nightjar.report.comparison.trainings import Training, read_trainings
from nightjar.report.reading import open_tables
from nightjar.runtime import logs
from nightjar.settings.compare import Compare
from nightjar.settings.task import Metric

log = logging.getLogger("nightjar.compare")


def run(context: Context) -> None:
    """Compare the trainings that the settings name; no lease is needed, and no run is recorded.

    Raises:
        ModelError: a version is not on record.
    """
    settings = context.settings
    if not isinstance(settings, Compare):
        raise UsageError("the job compare needs its own configuration")
    project, since, until = settings.project, optional_date(settings.since), optional_date(settings.run_date)
    tables = open_tables(context.warehouse, date.max, masking_of(project))
    trainings = read_trainings(tables, settings.versions, since, until)
    metric = Metric(trainings[-1].evidence["metric"])
    home = Path(settings.environment.home).absolute()
    scores = {one.number: rows for one in trainings if (rows := _scores(home, project.name, one)) is not None}
    of_pairs = pairs.compare_all(trainings, scores, metric, standard_of(project), label_hash(project))
    compared = document(project, trainings, of_pairs, metric.value)
    console = Console(width=max(130, Console().width))
    terminal.show(compared, console)
    name = "-".join(one.number for one in trainings)
    path = context.warehouse.path(f"reports/versions-{name}.html")
    page.save(path, logs.redact(page.render(compared)))
    console.print(f"\nThe same as a page: {path}", highlight=False, markup=False, soft_wrap=True)


def _scores(home: Path, project: str, training: Training) -> pa.Table | None:
    if training.is_stand_in:
        return None
    try:
        return run_files.read_scores(home, project, training.number)
    except ModelError as error:
        log.warning("version %s is not compared on the same rows: %s", training.number, error)
        return None
