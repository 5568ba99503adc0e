"""From a project's settings to what the join is asked, and the hash that names these definitions."""

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from enum import Enum
from typing import Any

from nightjar.asof import Latest, Windowed
from nightjar.joins.stored import StoredFacts
from nightjar.settings.project import Feature, FeatureKind, Project
from nightjar.settings.sources import Source
from nightjar.timeline import parse_duration


def source_table_name(source: str) -> str:
    """The table that holds a source's facts."""
    return f"source_{source}"


def feature_facts(project: Project, versions: Mapping[str, int]) -> list[StoredFacts]:
    """One entry per feature group, its table pinned at the given Delta version."""
    return [
        StoredFacts(
            name=name,
            table=source_table_name(group.source),
            version=versions[source_table_name(group.source)],
            keys=dict(group.keys),
            fact_id=tuple(project.sources[group.source].key),
            features=tuple(asked for label, feature in group.features.items() for asked in _asked(label, feature)),
            history=parse_duration(group.history) if group.history else None,
            layout=_layout(project.sources[group.source], group.keys),
        )
        for name, group in project.features.items()
    ]


def label_facts(project: Project, versions: Mapping[str, int]) -> StoredFacts:
    """The outcome as a window over (prediction time, prediction time + horizon], asked at its end."""
    label = project.label
    outcome = Windowed(label.column, "last", label.horizon, name="label")
    table = source_table_name(label.source)
    fact_id = tuple(project.sources[label.source].key)
    layout = _layout(project.sources[label.source], label.keys)
    return StoredFacts("outcome", table, versions[table], dict(label.keys), fact_id, (outcome,), layout=layout)


def _layout(source: Source, keys: Mapping[str, str]) -> tuple[str, ...] | None:
    """The key columns of the source's layout for these keys, in its order; None if it declares none."""
    declared = [tuple(layout.keys) for layout in source.layouts.values()]
    return next((layout for layout in declared if sorted(layout) == sorted(keys.values())), None)


def _asked(label: str, feature: Feature) -> list[Latest | Windowed]:
    if feature.kind is FeatureKind.LATEST:
        return [Latest(feature.column, feature.lookback, feature.skip_nulls, name=label)]
    aggregate = feature.aggregate.value if feature.aggregate else ""
    return [
        Windowed(feature.column, aggregate, window, name=name)
        for window, name in zip(feature.windows, feature.names(label), strict=True)
    ]


def definitions_hash(project: Project) -> str:
    """SHA-256 of everything that decides a feature's value: groups, spine, and how their sources make facts."""
    used = {project.spine.source, *(group.source for group in project.features.values())}
    decisive = ("lookups", "derived", "where", "key", "event_time", "known_at")
    sources = {name: {part: _plain(getattr(project.sources[name], part)) for part in decisive} for name in sorted(used)}
    whole = {"features": _plain(project.features), "spine": _plain(project.spine), "sources": sources}
    return hashlib.sha256(json.dumps(whole, sort_keys=True).encode()).hexdigest()


def _plain(value: Any) -> Any:
    """Settings as JSON can hold them."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list) else value
