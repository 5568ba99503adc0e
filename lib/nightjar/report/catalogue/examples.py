"""Example queries: of each table, and across tables, to paste into Spark SQL or Python."""

# ruff: noqa: S608  (text for people; nothing here is executed)

from collections.abc import Sequence
from datetime import date

from nightjar.report.catalogue.contents import Catalogue, ListedTable
from nightjar.report.queries import Query

_FEW = 20


def of_table(table: ListedTable, newest: date | None) -> tuple[Query, ...]:
    """How to look at a table: in SQL, and in Python without Spark."""
    by = next((name for name in table.definition.partition_by if name in ("run_date", "ingested_on")), None)
    day = newest if table.live is None or not table.live.dates else table.live.dates[-1]
    where = f"\nWHERE {by} = DATE'{day}'" if by and day else ""
    partitions = f'partitions=[("{by}", "=", "{day}")]' if by and day else ""
    about = f"Rows of {day}" if where else "Rows"
    return (
        Query(f"{about}, in Spark SQL", f"SELECT * FROM {quoted(table.path)}{where}\nLIMIT {_FEW};"),
        Query(
            f"{about}, in Python without Spark",
            "from deltalake import DeltaTable\n\n"
            f"rows = DeltaTable({table.path!r}).to_pandas({partitions})\nprint(rows.head({_FEW}))",
        ),
    )


def across(catalogue: Catalogue) -> list[Query]:
    """Questions that need several tables; those whose tables are there."""
    there = {table.name: quoted(table.path) for table in catalogue.tables() if table.live is not None}
    project = catalogue.project
    night = f"DATE'{catalogue.newest or project.first_night}'"
    key = ", ".join(f"`{name}`" for name in project.spine.key)
    queries: list[tuple[tuple[str, ...], Query]] = [
        (("scores", "labels"), _outcomes(there, key, is_class=bool(project.label.classes))),
        (("scores", "features"), _inputs_of_scores(there, key, night)),
        (("scores", "runs"), _origin(there, night)),
        (("labels",), _latest_labels(there, key)),
    ]
    for name, source in project.sources.items():
        table = f"source_{name}"
        if table in there:
            queries.append(((table,), _as_of(name, there[table], source.key, night, project.zone)))
    return [query for tables, query in queries if all(table in there for table in tables)]


def quoted(path: str) -> str:
    """A table by its path, as Spark SQL names it."""
    return f"delta.`{path.replace('`', '``')}`"


def _outcomes(there: dict[str, str], key: str, *, is_class: bool) -> Query:
    compared = (
        "avg(CAST(label.label = score.predicted AS DOUBLE)) AS predicted_right"
        if is_class
        else "avg(score.score) AS mean_score, avg(CAST(label.label AS DOUBLE)) AS mean_label"
    )
    return Query(
        "How the served predictions of each night turned out",
        f"SELECT score.run_date, count(*) AS predictions, count(label.label) AS labelled,\n  {compared}\n"
        f"FROM {there.get('scores')} AS score\nLEFT JOIN (\n  SELECT *, row_number() OVER (\n"
        f"    PARTITION BY {key}, prediction_time ORDER BY label_known_at DESC) AS newest\n"
        f"  FROM {there.get('labels')}\n) AS label USING ({key}, prediction_time)\n"
        "WHERE score.served AND coalesce(label.newest, 1) = 1\nGROUP BY score.run_date ORDER BY score.run_date;",
    )


def _inputs_of_scores(there: dict[str, str], key: str, night: str) -> Query:
    return Query(
        "The highest scores of the newest night, with the features that they were made of",
        f"SELECT score.score, feature.*\nFROM {there.get('scores')} AS score\n"
        f"JOIN {there.get('features')} AS feature USING ({key}, prediction_time)\n"
        f"WHERE score.run_date = {night} AND feature.run_date = {night} AND score.served\n"
        f"ORDER BY score.score DESC LIMIT {_FEW};",
    )


def _origin(there: dict[str, str], night: str) -> Query:
    return Query(
        "From the scores of a night to the code and the versions of the tables that they were made of",
        "SELECT score.model_version, run.run_id, run.code_revision, run.inputs, count(*) AS predictions\n"
        f"FROM {there.get('scores')} AS score JOIN {there.get('runs')} AS run ON run.run_id = score.run_id\n"
        f"WHERE score.run_date = {night}\n"
        "GROUP BY score.model_version, run.run_id, run.code_revision, run.inputs;",
    )


def _latest_labels(there: dict[str, str], key: str) -> Query:
    return Query(
        "The outcome of each row, by the last version of it",
        f"SELECT * EXCEPT (newest) FROM (\n  SELECT *, row_number() OVER (\n"
        f"    PARTITION BY {key}, prediction_time ORDER BY label_known_at DESC) AS newest\n"
        f"  FROM {there.get('labels')}\n) WHERE newest = 1 LIMIT {_FEW};",
    )


def _as_of(source: str, path: str, key: Sequence[str], night: str, zone: str) -> Query:
    names = ", ".join(f"`{name}`" for name in key)
    return Query(
        f"The facts of {source} as they were known at the newest midnight of the project",
        f"SELECT * EXCEPT (newest) FROM (\n  SELECT *, row_number() OVER (\n"
        f"    PARTITION BY {names} ORDER BY known_at DESC) AS newest\n  FROM {path}\n"
        f"  WHERE known_at <= to_utc_timestamp(CAST({night} AS TIMESTAMP), '{zone}')\n"
        f") WHERE newest = 1 LIMIT {_FEW};",
    )
