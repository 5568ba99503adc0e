"""Spark does a little of all that jobs ask of it, and Java archives the classes it has loaded: see `setup`."""

import sys
import tempfile
from pathlib import Path
from typing import Any

from pyspark import SparkContext
from pyspark.sql import DataFrame, SparkSession, Window, functions

from nightjar.runtime import spark
from nightjar.settings.environment import Environment

FIRST = "day = '2024-01-01'"


def main() -> None:
    """Write the archive, whole or not at all."""
    part = spark.ARCHIVE.with_suffix(".part")
    for old in (spark.ARCHIVE, part):
        old.unlink(missing_ok=True)
    java = f'{spark.JAVA_OPTIONS} "-XX:ArchiveClassesAtExit={part}"'
    with tempfile.TemporaryDirectory() as folder:
        environment = Environment(
            home=folder, spark_master="local[1]", shuffle_partitions=2, spark={"spark.driver.extraJavaOptions": java}
        )
        session = spark.start(environment, "archiving")
        work(session, Path(folder))
        session.stop()
    gateway: Any = SparkContext._gateway  # noqa: SLF001  (PySpark's only way to its Java)
    gateway.shutdown()
    gateway.proc.stdin.close()  # Java ends with it, and writes the archive
    if gateway.proc.wait(timeout=300) or not part.exists():
        sys.exit(f"{part} was not written: this Java cannot archive classes")
    part.replace(spark.ARCHIVE)


def work(session: SparkSession, folder: Path) -> None:
    """Text is read; rows are joined, ranked, counted, passed through Python, stored in Delta Lake, replaced, read."""
    written = folder / "rows.csv"
    written.write_text("key,at,value\n1,2024-01-01T00:00:00Z,0.5\n2,2024-01-02T00:00:00Z,\n")
    rows = session.read.csv(str(written), "key long, at timestamp, value double", header=True)
    counts = rows.groupBy("key").agg(functions.count("*").alias("count"), functions.max("value").alias("greatest"))
    ranked = rows.join(counts, "key", "left").withColumn("day", functions.to_date("at"))
    ranked = ranked.withColumn("rank", functions.row_number().over(Window.partitionBy("key").orderBy("at")))
    store(ranked.mapInArrow(lambda batches: batches, ranked.schema), folder / "table")
    stored = session.read.format("delta").load(str(folder / "table"))
    store(stored.where(FIRST), folder / "table", replaceWhere=FIRST)
    stored.where("rank = 1").select("key", "count").toArrow()


def store(rows: DataFrame, table: Path, **options: str) -> None:
    """Into Delta Lake, a partition for each day."""
    rows.write.format("delta").mode("overwrite").partitionBy("day").options(**options).save(str(table))


if __name__ == "__main__":
    main()
