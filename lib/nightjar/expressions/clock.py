"""Features that prediction time alone decides, such as the day of the week, by the settings."""

from collections.abc import Collection, Mapping

from nightjar.expressions.references import columns_in
from nightjar.settings.project import Project
from nightjar.settings.spine import SpineKind

TIME = "prediction_time"


def features_of_time(project: Project) -> list[str]:
    """The features that are made of the prediction time, or of the raw columns that it is made of, and of no others.

    Their values tomorrow are certain today, so that a change of them says nothing about the world. A feature of which
    that is not certain is none of them.
    """
    spine = project.spine
    of_source = project.sources.get(spine.source)
    origins: dict[str, frozenset[str]] = {TIME: frozenset({TIME})}
    if of_source is not None and spine.kind is SpineKind.SCHEDULED and spine.prediction_time is not None:
        origins = _follow(of_source.derived, {name: frozenset({name}) for name in of_source.columns})
        origins[TIME] = origins.get(spine.prediction_time, frozenset({spine.prediction_time})) | {TIME}
    origins = _follow({**spine.derived, **project.expressions}, origins)
    time = origins[TIME]
    return [name for name in project.feature_names() if origins.get(name) and origins[name] <= time]


def _follow(expressions: Mapping[str, str], origins: Mapping[str, Collection[str]]) -> dict[str, frozenset[str]]:
    """Column -> the first columns that it is made of, for those that are certain."""
    result = {name: frozenset(of) for name, of in origins.items()}
    for name, sql in expressions.items():
        used = columns_in(sql)
        result.pop(name, None)
        if used and all(column in result for column in used):
            result[name] = frozenset().union(*(result[column] for column in used))
    return result
