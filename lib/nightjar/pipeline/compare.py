"""The job compare: trainings side by side, printed and as a page; it writes no table."""

import logging
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import pyarrow as pa
from rich.console import Console

from nightjar.errors import ModelError, UsageError
from nightjar.evaluation.criteria import standard_of
from nightjar.pipeline.execution import Context
from nightjar.registry import events, run_files
from nightjar.report import page, terminal
from nightjar.report.comparison import pairs
from nightjar.report.comparison.page import Pairs, document
from nightjar.report.comparison.trainings import Training, read_trainings
from nightjar.report.reading import open_tables
from nightjar.runtime import logs
from nightjar.settings.compare import Compare
from nightjar.settings.project import Project
from nightjar.settings.task import Metric
from nightjar.timeline import parse_run_date

log = logging.getLogger("nightjar.compare")


def run(context: Context) -> None:
    """Compare the trainings that the settings name; no lease is needed, and no run is recorded.

    Raises:
        ModelError: a version is not on record.
    """
    settings = context.settings
    if not isinstance(settings, Compare):
        raise UsageError("the job compare needs its own configuration")
    project, since, until = settings.project, _date(settings.since), _date(settings.run_date)
    trainings = read_trainings(open_tables(context.warehouse, date.max), settings.versions, since, until)
    metric = Metric(trainings[-1].evidence["metric"])
    home = Path(settings.environment.home).absolute()
    compared = document(project, trainings, _pairs(project, trainings, metric, home), metric.value)
    console = Console(width=max(130, Console().width))
    terminal.show(compared, console)
    name = "-".join(one.number for one in trainings)
    path = context.warehouse.path(f"reports/versions-{name}.html")
    page.save(path, logs.redact(page.render(compared)))
    console.print(f"\nThe same as a page: {path}", highlight=False, markup=False, soft_wrap=True)


def _pairs(project: Project, trainings: Sequence[Training], metric: Metric, home: Path) -> Pairs:
    """Each two versions whose trainings have left their scores, of the same label."""
    scores = {one.number: rows for one in trainings if (rows := _scores(home, project.name, one)) is not None}
    result: dict[tuple[str, str], pairs.Pair] = {}
    of_scores = [one for one in trainings if one.number in scores]
    for place, newer in enumerate(of_scores):
        for older in of_scores[:place]:
            if newer.evidence.get(events.LABEL_HASH) != older.evidence.get(events.LABEL_HASH):
                continue
            days = max(one.evidence["clusters"]["block_days"] for one in (newer, older))
            tables = scores[newer.number], scores[older.number]
            compared = pairs.compare(*tables, metric, project.label.task, standard_of(project), days)
            result[newer.number, older.number] = compared
    return result


def _scores(home: Path, project: str, training: Training) -> pa.Table | None:
    if training.is_stand_in:
        return None
    try:
        return run_files.read_scores(home, project, training.number)
    except ModelError as error:
        log.warning("version %s is not compared on the same rows: %s", training.number, error)
        return None


def _date(text: str | None) -> date | None:
    return None if text is None else parse_run_date(text)
