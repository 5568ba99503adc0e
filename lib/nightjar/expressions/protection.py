"""Features that are made of a column by which groups are only told apart, by the settings alone."""

import re
from collections.abc import Collection, Iterator, Mapping

from nightjar.expressions.references import columns_in
from nightjar.settings.project import Project
from nightjar.settings.sources import Source


def features_of_protected_columns(project: Project) -> Iterator[str]:
    """A message for each feature that is made of a protected column, by expressions or by a column of a source.

    A column of any source that has the name of a protected one counts as that one. Features that are themselves
    protected columns are refused with the settings.
    """
    of_gates = project.promotion.fairness.ways()
    protected = project.fairness.protected(of_gates)
    features = set(project.feature_names()) - set(protected)
    for feature, column in _origins(project, protected).items():
        if feature in features:
            place = project.fairness.place(column, of_gates)
            yield (
                f"project.{place}: models learn from the feature {feature}, which is made of {column}. Leave "
                f"{feature} out of the features, or say that models may learn from it: "
                f"project.fairness.allow_as_feature: [{column}]"
            )


def _origins(project: Project, protected: Collection[str]) -> dict[str, str]:
    """Column of the feature table -> the protected column that it is made of."""
    by_source = {name: _origins_in(source, protected) for name, source in project.sources.items()}
    spine, of_source = project.spine, by_source.get(project.spine.source, {})
    origin = {name: of_source[name] for name in spine.stored_columns() if name in of_source}
    origin = _follow(spine.derived, {name: name for name in protected} | origin)
    for group_name, group in project.features.items():
        of_source = by_source.get(group.source, {})
        of_keys = next((origin[key] for key in group.keys if key in origin), None)
        for label, feature in group.features.items():
            column = of_keys or of_source.get(feature.column)
            if column is not None:
                origin |= {f"{group_name}__{name}": column for name in feature.names(label)}
    return _follow(project.expressions, origin)


def _origins_in(source: Source, protected: Collection[str]) -> dict[str, str]:
    """Column of a source -> the protected column that it is made of, or that it is by its name."""
    origin = {name: name for name in protected if name in source.column_names()}
    for lookup in source.lookups.values():
        if lookup.key in origin:
            origin |= dict.fromkeys(lookup.columns, origin[lookup.key])
    return _follow(source.derived, origin)


def _follow(expressions: Mapping[str, str], origin: Mapping[str, str]) -> dict[str, str]:
    """The origin of columns, and of those that expressions make of them, each of which may use the ones before it."""
    result = dict(origin)
    for name, sql in expressions.items():
        used = next((column for column in result if _uses(sql, column)), None)
        if used is not None:
            result.setdefault(name, result[used])
    return result


def _uses(sql: str, column: str) -> bool:
    """Whether an expression names a column; where that is not certain, whether the word is in it."""
    names = columns_in(sql)
    if names is None:
        return re.search(rf"\b{re.escape(column)}\b", sql, re.IGNORECASE) is not None
    return column.casefold() in {name.casefold() for name in names}
