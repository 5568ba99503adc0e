"""The report of one night: one HTML file that needs nothing else, made from the Delta tables only."""

from datetime import date, datetime

from markupsafe import Markup

from nightjar.errors import TableError
from nightjar.masking.values import masking_of
from nightjar.report import charts, classes, error_analysis, fairness, page, reliability, tiers
from nightjar.report.card.writing import file_name
from nightjar.report.champion import Champion
from nightjar.report.performance import chart
from nightjar.report.queries import python_queries, spark_queries
from nightjar.report.reading import PinnedTables, open_runs, open_tables
from nightjar.report.report_data import gather
from nightjar.report.reviews import OF_WINDOW, read_reviews
from nightjar.report.scores import Scores
from nightjar.report.summary import facts, sentences
from nightjar.settings.project import Project
from nightjar.settings.task import METRICS
from nightjar.tables.warehouse import Warehouse
from nightjar.timeline import cutoff


def write(warehouse: Warehouse, project: Project, run_date: date) -> str:
    """Write the night's report as `<warehouse>/<project>/reports/night-<run_date>.html`; its path or address.

    The same tables give the same file. A reader sees the old file or the new one: it is written under another name
    and then moved.

    Raises:
        TableError: a table cannot be read.
        UsageError: the project's zone does not exist.
    """
    path = report_path(warehouse, run_date)
    page.save(path, render(open_tables(warehouse, run_date, masking_of(project)), project))
    return path


def write_stopped(warehouse: Warehouse, project: Project, run_date: date) -> str:
    """Write the report of a stopped night; if some table cannot be read, from `runs` alone.

    Raises:
        TableError: `runs` cannot be read.
        UsageError: the project's zone does not exist.
    """
    try:
        return write(warehouse, project, run_date)
    except TableError as error:
        path = report_path(warehouse, run_date)
        omission = f"not every table can be read. {error}"
        page.save(path, render(open_runs(warehouse, run_date, omission, masking_of(project)), project))
        return path


def report_path(warehouse: Warehouse, run_date: date) -> str:
    """The path or address of the night's report."""
    return warehouse.path(f"reports/night-{run_date.isoformat()}.html")


def render(tables: PinnedTables, project: Project) -> str:
    """The page as text."""
    night = gather(tables, project)
    names, latest = project.label.classes, next((one for one in night.judged if one.figures), None)
    confusion, groups = classes.confusion_of(night.judged, names), reliability.reliability_of(night.judged)
    promise = night.champion.promise if night.champion else None
    promised = classes.promised_confusion(night.champion.confusion, names) if night.champion else None
    return page.fill(
        "nightjar.report",
        "night.html.j2",
        night=night,
        tables=tables,
        title=project.title or project.name,
        card=_card(tables.warehouse, night.champion),
        zone=project.zone,
        cutoff=_instant(cutoff(tables.run_date, project.zone)),
        facts=facts(night),
        sentences=sentences(night),
        score_chart=_score_chart(night.scores, tables.run_date),
        question=project.label.question(),
        datasheets={name: one.datasheet for name, one in project.sources.items() if one.datasheet.statements()},
        tiers_chart=tiers.chart(night.champion.tiers) if night.champion else None,
        fairness_charts={one.columns: fairness.charts(one) for one in night.champion.fairness}
        if night.champion
        else {},
        metrics=[metric.value for metric in METRICS[project.label.task]],
        class_measures=classes.OF_EACH,
        failure_charts=error_analysis.charts(night.champion.analysis) if night.champion else [],
        predicted_chart=_predicted_chart(night.scores, tables.run_date),
        performance_chart=chart(night.judged, night.champion, night.measures.first.name),
        latest=latest,
        classes=classes.figures_of_classes(latest.figures, names) if latest else [],
        promised_classes=classes.figures_of_classes(promise.own(), names) if promise else [],
        confusion=confusion,
        confusion_chart=classes.chart(confusion) if confusion else None,
        promised_confusion=classes.chart(promised) if promised else None,
        reliability=groups,
        reliability_chart=reliability.chart(groups) if groups else None,
        reviews=read_reviews(tables),
        review_measures=OF_WINDOW,
        spark_queries=spark_queries(tables),
        python_queries=python_queries(tables),
    )


def _card(warehouse: Warehouse, champion: Champion | None) -> str | None:
    """The address of the champion's card beside the page; None where there is none, as of versions of long ago."""
    name = None if champion is None else file_name(champion.version)
    return name if name is not None and page.exists(warehouse.path(f"reports/{name}")) else None


def _score_chart(scores: Scores | None, run_date: date) -> Markup | None:
    if scores is None or scores.distribution is None:
        return None
    beside = " (bars) beside the training reference (outline)" if scores.version_has_reference() else ""
    return charts.histogram(scores.distribution, f"Share of scores by value on {run_date}{beside}")


def _predicted_chart(scores: Scores | None, run_date: date) -> Markup | None:
    if scores is None or scores.predicted is None:
        return None
    return charts.histogram(scores.predicted, f"Share of rows by predicted class on {run_date}")


def _instant(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"
