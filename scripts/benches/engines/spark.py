"""What the Spark peers share: a session as a careful user sets it, the files as views, both ways to end a query."""

from cases import Case
from pyspark.sql import DataFrame, SparkSession

# The same as Nightjar's own sessions use where it matters for speed (runtime/spark.py).
JAVA_OPTIONS = "-Duser.timezone=UTC -XX:+UseParallelGC -XX:-DontCompileHugeMethods"
OPTIONS = {
    "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
    "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
    "spark.sql.adaptive.enabled": "true",
    "spark.databricks.delta.snapshotPartitions": "2",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.extraJavaOptions": JAVA_OPTIONS,
}


def opened(case: Case) -> SparkSession:
    """The session, with the views `spine` and one for each fact table."""
    builder = SparkSession.builder.master(f"local[{case.cores}]").appName("bench")
    options = OPTIONS | {
        "spark.driver.memory": f"{case.memory_gb}g",
        "spark.sql.shuffle.partitions": str(4 * case.cores),
    }
    session = builder.config(map=options).getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    session.read.parquet(*case.spine).select(case.spine_columns).createOrReplaceTempView("spine")
    for facts in case.facts:
        session.read.parquet(*facts.files).createOrReplaceTempView(facts.name)
    return session


def table(name: str) -> DataFrame:
    """A view of the session."""
    return SparkSession.active().table(name)


def consume(rows: DataFrame) -> None:
    """Compute every column of every row, and drop it."""
    rows.write.format("noop").mode("overwrite").save()


def store(rows: DataFrame, target: str) -> None:
    """A new Delta table."""
    rows.write.format("delta").save(target)
