"""`docs/tables.md`, made of the definitions of all tables."""

from pathlib import Path

import pyarrow as pa

from nightjar.config import compose_job, make_settings
from nightjar.settings.jobs import JobName
from nightjar.tables import definitions, score_definitions, serving_definitions, source_definitions
from nightjar.tables.table import Column, Table

CONF = Path(__file__).resolve().parents[2] / "conf"
_INTRODUCTION = """# Tables

Made by `scripts/docs` from [definitions.py](../lib/nightjar/tables/definitions.py),
[score_definitions.py](../lib/nightjar/tables/score_definitions.py),
[serving_definitions.py](../lib/nightjar/tables/serving_definitions.py) and
[source_definitions.py](../lib/nightjar/tables/source_definitions.py) in `lib/nightjar/tables`: edit those.

Every table is a Delta table in `<environment.warehouse>/<project>/`. Instants are UTC with microseconds; `run_date` is
a local date in the project's zone. A rerun of a date replaces what the table is partitioned by, and nothing else. Names
in capitals stand for those of a project's settings; features, labels and scores are those of the flights project.
"""


def page() -> str:
    """Each table, what a row of it is, its key, who writes it, and its columns."""
    project = make_settings(compose_job(CONF, JobName.SCORE, ["project=flights", "run_date=2013-10-01"])).project
    key = pa.schema([(name, pa.null()) for name in project.spine.key])
    facts = source_definitions.source_table(
        "NAME", ["SOURCE_KEY"], pa.schema([("SOURCE_KEY", pa.null()), ("KEEP", pa.null())])
    )
    of_project = (
        facts,
        source_definitions.layout_table(facts, ["KEYS"]),
        definitions.features_table(
            project, pa.schema([*key, ("SPINE_FEATURE", pa.null())]), pa.schema([("GROUP__FEATURE", pa.null())])
        ),
        definitions.labels_table(project, key),
        score_definitions.scores_table(project, key),
        serving_definitions.latest_table(project, key),
        serving_definitions.reviews_table(key),
    )
    return "\n".join([_INTRODUCTION, *(_section(one) for one in (*of_project, *definitions.FIXED, definitions.BEATS))])


def _section(table: Table) -> str:
    by = ", ".join(f"`{name}`" for name in table.partition_by) or "nothing"
    key = ", ".join(f"`{name}`" for name in table.key)
    head = f"## {table.name}\n\n{table.comment} Key: {key}. Partitioned by {by}. Written by: {table.written_by}.\n"
    return "\n".join([head, "| column | type | meaning |", "|---|---|---|", *(_row(one) for one in table.columns), ""])


def _row(column: Column) -> str:
    kind = "as declared" if pa.types.is_null(column.type) else f"`{_name(column.type)}`"
    return f"| `{column.name}` | {kind} | {column.comment.replace('|', '/')} |"


def _name(kind: pa.DataType) -> str:
    """A type as SQL says it."""
    names = {
        pa.string(): "STRING",
        pa.int32(): "INT",
        pa.int64(): "BIGINT",
        pa.float64(): "DOUBLE",
        pa.bool_(): "BOOLEAN",
    }
    names |= {pa.date32(): "DATE", pa.timestamp("us", tz="UTC"): "TIMESTAMP"}
    if isinstance(kind, pa.MapType):
        return f"MAP<{_name(kind.key_type)}, {_name(kind.item_type)}>"
    if isinstance(kind, pa.StructType):
        return f"STRUCT<{', '.join(f'{field.name}: {_name(field.type)}' for field in kind)}>"
    return f"ARRAY<{_name(kind.value_type)}>" if isinstance(kind, pa.ListType) else names[kind]
