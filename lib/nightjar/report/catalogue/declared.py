"""Every table that a project may have, as its definitions say, in groups."""

from collections.abc import Mapping

import pyarrow as pa

from nightjar.settings.project import Project
from nightjar.tables import definitions, serving_definitions, source_definitions
from nightjar.tables.score_definitions import scores_table
from nightjar.tables.table import Table

GROUPS: Mapping[str, tuple[str, ...]] = {
    "Features and labels": ("features", "labels"),
    "Models": ("model_events", "references"),
    "Scores": ("scores_latest", "scores", "inputs", "experiments", "retractions"),
    "People": ("reviews",),
    "What came in": ("intake", "quality", "quarantine", "corrections", "repairs"),
    "How nights are watched": ("verdicts", "signals", "drift", "performance", "triggers", "alerts"),
    "Running": ("runs", "leases", "beats"),
}
"""Group -> its tables, in the order of the page; the tables of sources stand before them."""
SOURCES, OTHERS = "Facts", "Others"


def declared_tables(project: Project) -> dict[str, list[Table]]:
    """Group -> the definitions of its tables; a column's type is null where only the live table says it."""
    fixed = {one.name: one for one in (*definitions.FIXED, definitions.BEATS, *_of_project(project))}
    named = {name for names in GROUPS.values() for name in names}
    groups = {SOURCES: _of_sources(project)}
    groups |= {group: [fixed[name] for name in names if name in fixed] for group, names in GROUPS.items()}
    groups[OTHERS] = [one for name, one in fixed.items() if name not in named]
    return {group: tables for group, tables in groups.items() if tables}


def _of_sources(project: Project) -> list[Table]:
    tables = []
    for name, source in project.sources.items():
        facts = _untyped(source.stored_columns())
        table = source_definitions.source_table(name, source.key, facts, source.sequence, source.datasheet.purpose)
        tables.append(table)
        tables += [source_definitions.layout_table(table, one.keys) for one in source.layouts.values()]
    return tables


def _of_project(project: Project) -> tuple[Table, ...]:
    spine = project.spine
    key = _untyped(spine.key)
    clocks = [f"{group}__{clock}" for group in project.features for clock in ("event_time", "known_at")]
    joined = _untyped([*project.joined_names(), *clocks, *project.expressions])
    tables = (
        definitions.features_table(project, _untyped(spine.columns()), joined),
        definitions.labels_table(project, key),
        scores_table(project, key),
        serving_definitions.latest_table(project, key),
    )
    return (*tables, serving_definitions.reviews_table(key)) if project.serving.review.is_on else tables


def _untyped(names: list[str]) -> pa.Schema:
    return pa.schema([(name, pa.null()) for name in names])
