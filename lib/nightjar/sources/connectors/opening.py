"""The connector of each source of a night."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from pyspark.sql import SparkSession

from nightjar.settings.connections import CatalogueTable, Database, DeltaTable
from nightjar.settings.sources import Source
from nightjar.sources.connectors.catalogue import CatalogueConnector
from nightjar.sources.connectors.connector import Connector
from nightjar.sources.connectors.database import DatabaseConnector
from nightjar.sources.connectors.delta_tables import DeltaConnector
from nightjar.sources.connectors.files import FileConnector
from nightjar.sources.connectors.watermarks import Table
from nightjar.sources.formats.shared import Results
from nightjar.sources.storing import Night


@contextmanager
def connect(
    spark: SparkSession, sources: Mapping[str, Source], night: Night, zone: str, cache: Path
) -> Iterator[Mapping[str, Connector]]:
    """The connectors of sources, by name; each looks at its source when it is first asked, and is closed in the end.

    Args:
        spark: the session.
        sources: name -> settings.
        night: the run.
        zone: the project's time zone.
        cache: folder for copies of files.
    """
    connectors: dict[str, Connector] = {}
    results = Results()
    try:
        for name, source in sources.items():
            connectors[name] = _connect(spark, name, source, night, zone, cache, results)
        yield connectors
    finally:
        for connector in connectors.values():
            connector.close()


def _connect(
    spark: SparkSession, name: str, source: Source, night: Night, zone: str, cache: Path, results: Results
) -> Connector:
    origin, columns = source.origin, list(source.columns)
    if isinstance(origin, DeltaTable):
        return DeltaConnector(spark, origin, name, columns, source.key)
    if isinstance(origin, CatalogueTable | Database):
        watermark = origin.watermark
        kind = None if watermark is None else source.columns[watermark.column].type
        table = Table(name, origin.place, watermark, kind, zone, night.run_id)
        if isinstance(origin, Database):
            return DatabaseConnector(spark, origin, table, columns)
        return CatalogueConnector(spark, table, columns)
    is_empty_allowed = source.arrival.min_rows == 0
    return FileConnector(spark, origin, name, columns, cache, is_empty_allowed, results)
