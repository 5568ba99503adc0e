"""The lineage of a project, by its settings alone: sources, spine, features, label, expressions and the score."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from nightjar.expressions.lineage import Layer, Lineage, Step, TableColumn, facts_column, features
from nightjar.expressions.references import columns_in
from nightjar.settings.features import Feature, FeatureGroup, FeatureKind
from nightjar.settings.project import Project
from nightjar.settings.sources import Source
from nightjar.settings.spine import WEIGHT, SpineKind


def lineage_of(project: Project, inputs: Sequence[str] | None = None) -> Lineage:
    """The lineage of a project.

    Args:
        project: its settings.
        inputs: the features that the model reads; None: all that the project has.
    """
    steps: dict[TableColumn, Step] = {}
    for name, source in project.sources.items():
        steps |= _of_source(name, source)
    _add_spine(steps, project)
    for name, group in project.features.items():
        steps |= _of_group(project, name, group)
    _add_expressions(steps, project.expressions, features)
    steps[TableColumn(Layer.LABELS, "labels", "label")] = _label(project)
    steps |= _of_acted(project)
    steps |= _of_scores(project, project.feature_names() if inputs is None else inputs)
    return Lineage(steps)


def _of_source(name: str, source: Source) -> dict[TableColumn, Step]:
    """The columns of a source, in the order in which they are computed, and the two clocks of its facts."""
    steps: dict[TableColumn, Step] = {}
    for column in source.columns:
        steps[facts_column(name, column)] = Step(f"column {column}", (TableColumn(Layer.RAW, name, column),))
    for label, lookup in source.lookups.items():
        of_file = f"{name}.{label}"
        for column, there in lookup.columns.items():
            file_column = TableColumn(Layer.LOOKUP, of_file, there)
            rows = (facts_column(name, lookup.key), TableColumn(Layer.LOOKUP, of_file, lookup.file_key))
            steps[facts_column(name, column)] = Step(f"looked up by {lookup.key}: {there}", (file_column,), rows)
    _add_expressions(steps, source.derived, lambda column: facts_column(name, column))
    for clock, column in {"event_time": source.event_time, "known_at": source.known_at or source.event_time}.items():
        steps.setdefault(facts_column(name, clock), Step(f"column {column}", (facts_column(name, column),)))
    return steps


def _add_spine(steps: dict[TableColumn, Step], project: Project) -> None:
    spine, source = project.spine, project.spine.source
    rows = _of_facts(project, source)
    if spine.kind is SpineKind.ACTIVE:
        time = Step(f"the midnight of each night, of a key with a fact in the {spine.active_within} before", rows=rows)
    else:
        time = Step(f"column {spine.prediction_time}", (facts_column(source, spine.prediction_time or ""),), rows)
    steps[features("prediction_time")] = time
    for name in spine.stored_columns():
        steps[features(name)] = Step(_of_row(project, name), (facts_column(source, name),), rows)
    _add_expressions(steps, spine.derived, features)
    if spine.sample.by:
        column = () if spine.sample.column is None else (features(spine.sample.column),)
        steps[features(WEIGHT)] = Step("how many rows of the spine a sampled one stands for", rows=column)


def _of_group(project: Project, name: str, group: FeatureGroup) -> dict[TableColumn, Step]:
    pairs = group.keys.items()
    by = (*(features(one) for one, _ in pairs), *(facts_column(group.source, one) for _, one in pairs))
    rows = (*by, *_of_facts(project, group.source))
    steps = {}
    for label, feature in group.features.items():
        values = (facts_column(group.source, feature.column),)
        for column, meaning in zip(feature.names(label), _meanings(group, feature), strict=True):
            steps[features(f"{name}__{column}")] = Step(meaning, values, rows)
    for clock in ("event_time", "known_at"):
        meaning = f"{clock} of the latest usable fact of source {group.source}, for audit"
        steps[features(f"{name}__{clock}")] = Step(meaning, (facts_column(group.source, clock),), by)
    return steps


def _of_facts(project: Project, name: str) -> tuple[TableColumn, ...]:
    """The columns that decide which facts of a source there are as of an instant."""
    source = project.sources[name]
    condition = _inputs(source.where, [*source.column_names()])[0] if source.where else ()
    deleted = (source.deleted,) if source.deleted else ()
    names = ["event_time", "known_at", *source.sequence, *deleted, *condition]
    return tuple(facts_column(name, one) for one in dict.fromkeys(names))


def _label(project: Project) -> Step:
    label = project.label
    rows = [*(features(one) for one in label.keys), *(facts_column(label.source, one) for one in label.keys.values())]
    rows += [features("prediction_time"), *_of_facts(project, label.source)]
    names = list(dict.fromkeys(project.label_inputs()))
    ruled = dict.fromkeys(one for sql in label.rules.values() for one in _inputs(sql, names)[0])
    values = [*(facts_column(label.source, one) for one in label.columns()), *map(features, ruled)]
    when = "" if label.aggregate else f", within {label.horizon}"
    return Step(f"{label.question()}{when}", tuple(values), tuple(dict.fromkeys(rows)))


def _of_acted(project: Project) -> dict[TableColumn, Step]:
    acted = project.label.acted
    if acted.column is None:
        return {}
    source, keys = project.label.action_facts()
    rows = [*(features(one) for one in keys), *(facts_column(source, one) for one in keys.values())]
    meaning = f"whether {acted.column} is true of a fact within {project.label.horizon}"
    return {
        TableColumn(Layer.LABELS, "labels", "acted"): Step(meaning, (facts_column(source, acted.column),), (*rows,))
    }


def _of_scores(project: Project, inputs: Iterable[str]) -> dict[TableColumn, Step]:
    score = TableColumn(Layer.SCORES, "scores", "score")
    steps = {score: Step("what the model makes of its features", tuple(map(features, inputs)))}
    if project.decision_tiers():
        amounts = tuple(features(one) for one in dict.fromkeys(project.costs.amounts().values()))
        meaning = f"the first of {', '.join(project.decision_tiers())} whose threshold the score reaches"
        steps[TableColumn(Layer.SCORES, "scores", "tier")] = Step(meaning, (score, *amounts))
    return steps


def _add_expressions(
    steps: dict[TableColumn, Step], expressions: Mapping[str, str], place: Callable[[str], TableColumn]
) -> None:
    """Expressions over the columns before them, which all lie in one place."""
    for name, sql in expressions.items():
        here = place(name)
        names = [one.name for one in steps if (one.layer, one.place) == (here.layer, here.place)]
        inputs, is_certain = _inputs(sql, names)
        steps[here] = Step(f"computed: {sql}", tuple(map(place, inputs)), is_certain=is_certain)


def _inputs(sql: str, names: Sequence[str]) -> tuple[list[str], bool]:
    """The columns that an expression uses, as they are declared, and whether that is certain."""
    words = columns_in(sql)
    if words is None:
        return [name for name in names if re.search(rf"(?<!\w){re.escape(name)}(?!\w)", sql, re.IGNORECASE)], False
    lower = {name.casefold(): name for name in names}
    return [lower[word.casefold()] for word in words if word.casefold() in lower], True


def _of_row(project: Project, name: str) -> str:
    """How a column that stands in the row itself is made: as it came in, looked up or computed."""
    source = project.sources[project.spine.source]
    if name in source.derived:
        return f"computed: {source.derived[name]}"
    for lookup in source.lookups.values():
        if name in lookup.columns:
            return f"looked up by {lookup.key}: {lookup.columns[name]}"
    return f"column {name}"


def _meanings(group: FeatureGroup, feature: Feature) -> Iterator[str]:
    """A text for each feature that a setting makes."""
    keys = " and ".join(group.keys)
    if feature.kind is FeatureKind.LATEST:
        age = "" if feature.lookback is None else f", at most {feature.lookback} old"
        nulls = " that is not null" if feature.skip_nulls else ""
        yield f"last {feature.column}{nulls} of the same {keys}{age}"
        return
    aggregate = "" if feature.aggregate is None else feature.aggregate.value
    yield from (f"{aggregate} of {feature.column} of the same {keys} in the {one} before" for one in feature.windows)
