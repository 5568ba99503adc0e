"""Queries to paste into Spark SQL or Python, with the paths of the night's tables."""

# ruff: noqa: S608  (text for people; nothing here is executed)

from dataclasses import dataclass

from nightjar.report.reading import PinnedTables
from nightjar.tables.predictions import SERVED


@dataclass(frozen=True)
class Query:
    """One question and the lines that answer it."""

    question: str
    text: str


def spark_queries(tables: PinnedTables) -> list[Query]:
    """Spark SQL, for a session with Delta's extensions."""
    night = f"DATE'{tables.run_date.isoformat()}'"
    scores, drift, performance = (_quote_table(tables, name) for name in ("scores", "drift", "performance"))
    has_served = SERVED in tables.columns("scores")
    served_sql = "coalesce(served, role = 'champion')" if has_served else "role = 'champion'"
    return [
        Query(
            "The highest scores of the night",
            f"SELECT * FROM {scores}\nWHERE run_date = {night} AND {served_sql}\nORDER BY score DESC LIMIT 20;",
        ),
        Query(
            "Each column's drift over the nights",
            f"SELECT run_date, subject, value AS psi FROM {drift}\n"
            f"WHERE measure = 'psi' AND slice = 'all' AND run_date <= {night}\nORDER BY subject, run_date;",
        ),
        Query(
            "What was amiss on each night",
            f"SELECT run_date, state, kind, subject, sentence FROM {_quote_table(tables, 'signals')}\n"
            f"WHERE state <> 'ok' AND run_date <= {night}\nORDER BY run_date DESC, state, kind, subject;",
        ),
        Query(
            "What became of one date's figures as its labels came in",
            f"SELECT evaluated_date, slice, run_date, measure, value, provisional FROM {performance}\n"
            f"WHERE subject = 'champion' AND slice IN ('all', 'acted', 'not_acted') AND run_date <= {night}\n"
            "ORDER BY evaluated_date, slice, measure, run_date;",
        ),
        Query(
            "The refused rows",
            f"SELECT source, explode(reasons) AS reason, row FROM {_quote_table(tables, 'quarantine')}\n"
            f"WHERE run_date = {night};",
        ),
        Query(
            "From the scores to the run and the table versions they were made from",
            "SELECT run.run_id, run.code_revision, run.inputs, count(*) AS scores\n"
            f"FROM {scores} AS score\nJOIN {_quote_table(tables, 'runs')} AS run ON run.run_id = score.run_id\n"
            f"WHERE score.run_date = {night}\nGROUP BY run.run_id, run.code_revision, run.inputs;",
        ),
    ]


def python_queries(tables: PinnedTables) -> list[Query]:
    """Python with deltalake: no Spark, no JVM."""
    of_champion = '(pc.field("role") == "champion")'
    has_served = SERVED in tables.columns("scores")
    served_python = f'pc.coalesce(pc.field("served"), {of_champion})' if has_served else of_champion
    return [
        Query(
            "The night's scores as a data frame",
            "import datetime\n"
            "import pyarrow.compute as pc\n"
            "from deltalake import DeltaTable\n\n"
            f"night = {tables.run_date!r}\n"
            f"scores = DeltaTable({tables.warehouse.path('scores')!r}).to_pyarrow_dataset()\n"
            f'served = (pc.field("run_date") == night) & {served_python}\n'
            "frame = scores.to_table(filter=served).to_pandas()",
        ),
        Query(
            "The features they were made from",
            "# continues the lines above\n"
            f"features = DeltaTable({tables.warehouse.path('features')!r}).to_pyarrow_dataset()\n"
            'inputs = features.to_table(filter=pc.field("run_date") == night).to_pandas()',
        ),
    ]


def _quote_table(tables: PinnedTables, table: str) -> str:
    return "delta.`" + tables.warehouse.path(table).replace("`", "``") + "`"
