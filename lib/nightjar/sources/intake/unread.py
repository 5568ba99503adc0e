"""Whether a finished night would read something else today than it has read: no row is looked at, and no Spark needed.

Files and Delta tables are looked at. What is new in databases and tables of a catalogue is read by the next night: to
know it is to ask them, by Spark.
"""

import logging
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

from nightjar.errors import SourceError
from nightjar.settings.project import Project
from nightjar.sources.connectors.opening import connect
from nightjar.sources.intake import history, reading
from nightjar.sources.intake.reading import Place
from nightjar.sources.storing import Night
from nightjar.tables.source_definitions import source_table_name
from nightjar.tables.warehouse import Warehouse
from nightjar.timeline import cutoff

log = logging.getLogger("nightjar.ingest")


def unread(warehouse: Warehouse, project: Project, run_date: date, cache: Path) -> list[str]:
    """What an ingest of the date would read beyond what it has read, in words: source and item.

    A file that is gone, or has changed though it may not, does not count: what the night has stored of it stays, and
    the next ingest says so; it is logged.

    Args:
        warehouse: where the tables lie.
        project: whose sources.
        run_date: the night, whose ingest has finished.
        cache: folder for copies of files.
    """
    silent = silent_sources(project)
    sources = {name: source for name, source in project.sources.items() if name not in silent}
    night, no_spark = Night(run_date, cutoff(run_date, project.zone), None, ""), _NO_SPARK
    with connect(no_spark, sources, night, project.zone, cache) as connectors:
        places = [
            Place(no_spark, warehouse, name, source, night, project.zone, cache, connectors[name])
            for name, source in sources.items()
        ]
        return [text for place in places for text in _unread(place)]


_NO_SPARK: Any = None
"""Whoever lists files and compares their digests, or reads the version of a Delta table, needs none."""


def silent_sources(project: Project) -> list[str]:
    """The sources of which only Spark could tell whether there is something new."""
    return [name for name, one in project.sources.items() if one.catalogue is not None or one.database is not None]


def _unread(place: Place) -> Iterator[str]:
    before = history.read(place.warehouse, place.name, source_table_name(place.name))
    run_date = place.night.run_date
    if run_date not in before.nights or run_date < max(before.nights):
        return  # a night that others have followed reads what it has read
    past = {(entry.item, entry.after) for entry in before.entries if entry.run_date == run_date}
    try:
        portions = reading.plan(place, before, reading.definition_of(place.source, place.name))
    except SourceError as error:
        log.warning("source %s is taken as %s has read it: %s", place.name, run_date, error)
        return
    new = [portion.item.name for portion in portions if (portion.item, portion.after) not in past]
    yield from (f"source {place.name} has {Path(name).name} to read" for name in new[:1])
