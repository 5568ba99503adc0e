"""The catalogue as JSON, for other tools: tables with their columns, and the lineage as edges."""

import json
from typing import Any

from nightjar.expressions.lineage import TableColumn
from nightjar.report.catalogue.contents import Catalogue, ListedColumn, ListedTable


def to_json(catalogue: Catalogue) -> str:
    """Text that is the same for the same tables and settings."""
    project, reader = catalogue.project, catalogue.reader
    content = {
        "format": "nightjar.catalogue",
        "version": 1,
        "project": project.name,
        "title": project.title or project.name,
        "zone": project.zone,
        "newest_night": _text(catalogue.newest),
        "model": None
        if reader is None
        else {"version": reader.version, "name": reader.name, "since": _text(reader.since)},
        "datasheets": {name: source.datasheet.statements() for name, source in project.sources.items()},
        "tables": [_table(group, table) for group, tables in catalogue.groups.items() for table in tables],
        "lineage": [
            {
                "column": _column(column),
                "meaning": step.meaning,
                "values": [_column(one) for one in step.values],
                "rows": [_column(one) for one in step.rows],
                "is_certain": step.is_certain,
            }
            for column, step in catalogue.lineage.steps.items()
        ],
    }
    return json.dumps(content, ensure_ascii=False, indent=1) + "\n"


def _table(group: str, table: ListedTable) -> dict[str, Any]:
    definition, live, last = table.definition, table.live, table.freshness.last
    return {
        "name": table.name,
        "group": group,
        "meaning": definition.comment,
        "key": list(definition.key),
        "partitioned_by": list(definition.partition_by),
        "written_by": definition.written_by,
        "owner": table.owner or None,
        "path": table.path,
        "problem": table.problem or None,
        "version": None if live is None else live.version,
        "rows": None if live is None else live.rows,
        "bytes": None if live is None else live.size,
        "newest_date": _text(live.dates[-1]) if live and live.dates else None,
        "committed_at": _text(live.committed_at) if live else None,
        "last_written": None
        if last is None
        else {"job": last.job, "run_date": _text(last.run_date), "run_id": last.run_id},
        "is_late": table.freshness.is_late,
        "columns": [_listed(one) for one in table.columns],
    }


def _listed(column: ListedColumn) -> dict[str, Any]:
    return {
        "name": column.name,
        "type": column.type or None,
        "meaning": column.comment,
        "is_key": column.is_key,
        "is_live": column.is_live,
        "is_sensitive": column.is_sensitive,
        "null_share": column.nulls,
        "lineage": None if column.at is None else _column(column.at),
    }


def _column(column: TableColumn) -> dict[str, str]:
    return {"layer": column.layer.value, "place": column.place, "column": column.name}


def _text(value: Any) -> str | None:
    return None if value is None else value.isoformat()
