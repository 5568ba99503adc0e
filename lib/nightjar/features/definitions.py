"""Turns a project's settings into the facts and features that the join computes, and hashes these definitions."""

import dataclasses
import hashlib
import json
from collections.abc import Collection, Mapping
from enum import Enum
from typing import Any

from nightjar.asof import Latest, Windowed
from nightjar.durations import parse_duration
from nightjar.joins.stored_facts import StoredFacts
from nightjar.settings.features import Feature, FeatureGroup, FeatureKind
from nightjar.settings.files import Dialect, File
from nightjar.settings.project import Project
from nightjar.settings.sources import Source
from nightjar.settings.spine import Spine
from nightjar.tables.source_definitions import source_table_name

_DECISIVE_OF_SOURCE = ("lookups", "derived", "where", "key", "event_time", "known_at", "sequence", "deleted")
_DECISIVE_OF_SPINE = ("kind", "source", "key", "prediction_time", "active_within", "derived")


def feature_facts(project: Project, versions: Mapping[str, int]) -> list[StoredFacts]:
    """One entry per feature group, its table pinned at the given Delta version."""
    return [
        _facts_of(project, versions, name, group.source, group.keys, _features(group), group.history)
        for name, group in project.features.items()
    ]


def label_facts(project: Project, versions: Mapping[str, int]) -> StoredFacts:
    """The outcome, or the aggregate, over (prediction time, prediction time + horizon], as of its end."""
    label = project.label
    aggregate = label.aggregate.value if label.aggregate else "last"
    outcome = Windowed(label.column, aggregate, label.horizon, name="value")
    return _facts_of(project, versions, "outcome", label.source, label.keys, (outcome,), label.horizon)


def action_facts(project: Project, versions: Mapping[str, int]) -> list[StoredFacts]:
    """Whether the row was acted on within the horizon of its label, as a share of facts; none where nothing says so."""
    label, acted = project.label, project.label.acted
    if acted.column is None:
        return []
    marker = Windowed(acted.column, "rate", label.horizon, name="value")
    return [_facts_of(project, versions, "actions", *label.action_facts(), (marker,), label.horizon)]


def spine_facts(project: Project, versions: Mapping[str, int]) -> StoredFacts:
    """The spine's columns in the latest fact of each key, for a spine of what is active."""
    spine = project.spine
    others = tuple(Latest(name) for name in spine.stored_columns() if name not in spine.key)
    keys = {name: name for name in spine.key}
    return _facts_of(project, versions, "latest", spine.source, keys, others, spine.active_within)


def _facts_of(
    project: Project,
    versions: Mapping[str, int],
    name: str,
    source: str,
    keys: Mapping[str, str],
    features: tuple[Latest | Windowed, ...],
    history: str | None,
) -> StoredFacts:
    """Facts of a source, its table pinned at the given Delta version."""
    table, declared = source_table_name(source), project.sources[source]
    reach = parse_duration(history) if history else None
    layout = _layout(declared, keys)
    return StoredFacts(
        name,
        table,
        versions[table],
        dict(keys),
        tuple(declared.key),
        features,
        reach,
        layout,
        tuple(declared.sequence),
        declared.deleted,
    )


def _layout(source: Source, keys: Mapping[str, str]) -> tuple[str, ...] | None:
    """The key columns of the source's layout for these keys, in its order; None if it declares none."""
    declared = [tuple(layout.keys) for layout in source.layouts.values()]
    return next((layout for layout in declared if sorted(layout) == sorted(keys.values())), None)


def _features(group: FeatureGroup) -> tuple[Latest | Windowed, ...]:
    return tuple(
        definition for label, feature in group.features.items() for definition in _join_features(label, feature)
    )


def _join_features(label: str, feature: Feature) -> list[Latest | Windowed]:
    if feature.kind is FeatureKind.LATEST:
        return [Latest(feature.column, feature.lookback, feature.skip_nulls, name=label)]
    aggregate = feature.aggregate.value if feature.aggregate else ""
    return [
        Windowed(feature.column, aggregate, window, name=name)
        for window, name in zip(feature.windows, feature.names(label), strict=True)
    ]


def definitions_hash(project: Project) -> str:
    """SHA-256 of all that decides a feature's value: groups, expressions, spine, zone, and how sources make facts."""
    used = {project.spine.source, *(group.source for group in project.features.values())}
    direct = {part: _plain(getattr(project, part)) for part in ("expressions", "features", "zone")}
    return _digest(direct | {"sources": _plain_sources(project, used), "spine": _plain_spine(project.spine)})


def label_hash(project: Project) -> str:
    """SHA-256 of all that decides a label's value, or when it is known: label, zone, and how sources make facts.

    Of the spine it holds what decides the values of its columns: keys and labelling rules use them. Which rows there
    are, and the lists of a ranking, do not decide the label of a row. Keys added later enter only where they are set.
    """
    spine = {part: _plain(getattr(project.spine, part)) for part in _DECISIVE_OF_SPINE}
    sources = _plain_sources(project, [project.spine.source, project.label.source, project.label.action_facts()[0]])
    label: dict[str, Any] = _plain(project.label)
    del label["query"]
    if project.label.acted.column is None:
        del label["acted"]
    classes = list(label.pop("classes"))  # their names for people decide nothing; the order, what models predict
    label |= {"classes": classes} if classes else {}
    label["empty"] = None if label["empty"] is None else float(label["empty"])  # 0 is 0.0
    return _digest({"label": label, "sources": sources, "spine": spine, "zone": project.zone})


def _digest(definition: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(definition, sort_keys=True).encode()).hexdigest()


def _plain_sources(project: Project, names: Collection[str]) -> dict[str, Any]:
    """What makes facts of some sources' raw rows, as JSON can hold it."""
    return {
        name: {part: _plain(getattr(project.sources[name], part)) for part in _DECISIVE_OF_SOURCE}
        for name in sorted(set(names))
    }


def _plain_spine(spine: Spine) -> dict[str, Any]:
    """The spine as JSON can hold it; a key added later enters only where it is set, so that old hashes stay valid."""
    plain: dict[str, Any] = _plain(spine)
    weekdays = plain.pop("weekdays")
    return plain if weekdays is None else plain | {"weekdays": sorted(weekdays)}


def _plain_file(file: File) -> dict[str, Any]:
    """A lookup's file as JSON can hold it; keys added later enter only where they are set and decide what is read."""
    plain = {field.name: _plain(getattr(file, field.name)) for field in dataclasses.fields(file)}
    del plain["changed"]
    if file.dialect == Dialect():
        del plain["dialect"]
    return plain


def _plain(value: Any) -> Any:
    """Settings as JSON can hold them."""
    if isinstance(value, File):
        return _plain_file(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list) else value
