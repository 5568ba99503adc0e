"""Options for work over few rows, where compiling takes longer than the rows do."""

from pyspark.sql import SparkSession

from nightjar.settings.environment import FEW_ROWS, Environment

QUICK_JAVA = "-XX:TieredStopAtLevel=1 -XX:ReservedCodeCacheSize=256m"
"""Options of a Java that compiles once and fast, with room for all that it compiles."""
QUICK_QUERIES = {
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    "spark.sql.adaptive.enabled": "false",
}
"""Options of a Spark that writes no Java code for its queries, neither for whole stages nor for single expressions, and
plans each of them once."""
OF_FEW_ROWS = QUICK_QUERIES | {FEW_ROWS: "true"}
"""The same, with what leaves to this process what Python makes of rows."""


def tune(session: SparkSession, environment: Environment, *, few_rows: bool) -> None:
    """Let the queries that follow suit few rows, or any number; what `environment.spark` sets stays as it is."""
    configured = session.sparkContext._conf  # noqa: SLF001  (a copy of it takes hundreds of calls to Java)
    for key in OF_FEW_ROWS.keys() - environment.spark.keys():
        value = OF_FEW_ROWS[key] if few_rows else configured.get(key, None)
        if value is None:
            session.conf.unset(key)
        else:
            session.conf.set(key, value)
