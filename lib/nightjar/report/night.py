"""The report of one night: one HTML file that needs nothing else, made from the Delta tables only."""

import logging
from datetime import date, datetime, timedelta

from markupsafe import Markup

from nightjar.errors import TableError
from nightjar.masking.values import masking_of
from nightjar.report import (
    charts,
    classes,
    costs,
    error_analysis,
    fairness,
    index,
    night_json,
    page,
    reliability,
    tiers,
    vintages,
)
from nightjar.report.card.writing import file_name
from nightjar.report.champion import Champion
from nightjar.report.changes import changes
from nightjar.report.contents import sections
from nightjar.report.data_quality import MOST_CHECKS
from nightjar.report.drift import LISTED, SHOWN
from nightjar.report.performance_chart import chart
from nightjar.report.queries import python_queries, spark_queries
from nightjar.report.reading import PinnedTables, open_runs, open_tables
from nightjar.report.report_data import NightData, gather
from nightjar.report.reviews import OF_WINDOW
from nightjar.report.scores import Scores
from nightjar.report.signals import MOST_SIGNALS
from nightjar.report.states import WORST_FIRST, place
from nightjar.report.summary import facts, sentences
from nightjar.settings.project import Project
from nightjar.settings.task import METRICS
from nightjar.tables.warehouse import Warehouse
from nightjar.timeline import cutoff

log = logging.getLogger("nightjar.report")


def write(warehouse: Warehouse, project: Project, run_date: date) -> str:
    """Write the night's report as `<warehouse>/<project>/reports/night-<run_date>.html`; its path or address.

    Beside it `night-<run_date>.json` has the same numbers, and `index.html` leads to all nights.

    The same tables give the same file. A reader sees the old file or the new one: it is written under another name
    and then moved.

    Raises:
        TableError: a table cannot be read.
        UsageError: the project's zone does not exist.
    """
    return _save(open_tables(warehouse, run_date, masking_of(project)), project)


def write_stopped(warehouse: Warehouse, project: Project, run_date: date) -> str:
    """Write the report of a stopped night; if some table cannot be read, from `runs` alone.

    Raises:
        TableError: `runs` cannot be read.
        UsageError: the project's zone does not exist.
    """
    try:
        return write(warehouse, project, run_date)
    except TableError as error:
        omission = f"not every table can be read. {error}"
        return _save(open_runs(warehouse, run_date, omission, masking_of(project)), project)


def _save(tables: PinnedTables, project: Project) -> str:
    """The page last: by its age a nightly sees whether a night is reported."""
    night, path = gather(tables, project), report_path(tables.warehouse, tables.run_date)
    page.save(f"{path.removesuffix('.html')}.json", night_json.text(tables, project, night))
    page.save(path, _page(tables, project, night))
    if tables.omission is None:
        _write_index(tables.warehouse, project)
    return path


def _write_index(warehouse: Warehouse, project: Project) -> None:
    """The night's page lies there whatever becomes of the index, which the next night writes anew."""
    try:
        index.write(warehouse, project)
    except TableError:
        log.exception("the index of nights is as it was")


def report_path(warehouse: Warehouse, run_date: date) -> str:
    """The path or address of the night's report."""
    return warehouse.path(f"reports/night-{run_date.isoformat()}.html")


def render(tables: PinnedTables, project: Project) -> str:
    """The page as text."""
    return _page(tables, project, gather(tables, project))


def _page(tables: PinnedTables, project: Project, night: NightData) -> str:
    names, latest = project.label.classes, next((one for one in night.judged if one.figures), None)
    of_version = [one for one in night.judged if one.version == night.judged[0].version]
    confusion, groups = classes.confusion_of(of_version, names), reliability.reliability_of(of_version)
    promise = night.champion.promise if night.champion else None
    promised = classes.promised_confusion(night.champion.confusion, names) if night.champion else None
    return page.fill(
        "nightjar.report",
        "templates/night.html.j2",
        night=night,
        tables=tables,
        title=project.title or project.name,
        card=_card(tables.warehouse, night.champion),
        zone=project.zone,
        cutoff=_instant(cutoff(tables.run_date, project.zone)),
        window=[_instant(cutoff(day, project.zone)) for day in (tables.run_date, tables.run_date + timedelta(days=1))],
        facts=facts(night),
        changes=changes(night, tables.run_date),
        sections=sections(night),
        places={one: place(one) for one in WORST_FIRST},
        shown=SHOWN,
        listed=LISTED,
        most_checks=MOST_CHECKS,
        most_signals=MOST_SIGNALS,
        json_name=f"night-{tables.run_date}.json",
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
        performance_chart=chart(
            night.judged, night.estimates, night.champion, night.measures.first.name, night.yardsticks
        ),
        vintage_charts=[(one, vintages.chart(one)) for one in night.vintages],
        costs_chart=costs.chart(night.costs) if night.costs else None,
        latest=latest,
        classes=classes.figures_of_classes(latest.figures, names) if latest else [],
        promised_classes=classes.figures_of_classes(promise.own(), names) if promise else [],
        confusion=confusion,
        confusion_chart=classes.chart(confusion) if confusion else None,
        promised_confusion=classes.chart(promised) if promised else None,
        reliability=groups,
        reliability_chart=reliability.chart(groups) if groups else None,
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
