"""The features of a model in words, as its project defines them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from nightjar.settings.features import Feature, FeatureGroup, FeatureKind
from nightjar.settings.project import Project


@dataclass(frozen=True)
class ShownFeature:
    """One column that a model reads.

    Attributes:
        kind: "number" or "category"; None: not on record.
        meaning: how it is made.
        source: of the facts that it is made of; of an expression over columns of the row none.
    """

    name: str
    kind: str | None
    meaning: str
    source: str


def shown_features(project: Project, kinds: Mapping[str, str]) -> list[ShownFeature]:
    """The features in the order of the model, or, without a record of it, of the project.

    Args:
        project: defines them.
        kinds: column of the model -> its kind; empty: not on record.
    """
    meanings = _meanings(project)
    unknown = ("not among the project's features any more", "")
    names = list(kinds) or project.feature_names()
    return [ShownFeature(name, kinds.get(name), *meanings.get(name, unknown)) for name in names]


def _meanings(project: Project) -> dict[str, tuple[str, str]]:
    spine, source = project.spine, project.spine.source
    meanings = {name: (_of_row(project, name), source) for name in spine.features}
    for group_name, group in project.features.items():
        for name, feature in group.features.items():
            texts = _of_group(group, feature)
            columns = (f"{group_name}__{column}" for column in feature.names(name))
            meanings |= {column: (text, group.source) for column, text in zip(columns, texts, strict=True)}
    return meanings | {name: (f"computed: {sql}", "") for name, sql in project.expressions.items()}


def _of_row(project: Project, name: str) -> str:
    """A feature that stands in the row itself: as it came in, looked up or computed."""
    spine = project.spine
    if name in spine.derived:
        return f"computed: {spine.derived[name]}"
    facts = project.sources[spine.source]
    if name in facts.derived:
        return f"computed: {facts.derived[name]}"
    for lookup in facts.lookups.values():
        if name in lookup.columns:
            return f"looked up by {lookup.key}: {lookup.columns[name]}"
    return f"column {name}"


def _of_group(group: FeatureGroup, feature: Feature) -> Sequence[str]:
    """A text for each feature that a setting makes."""
    keys = " and ".join(group.keys)
    if feature.kind is FeatureKind.LATEST:
        age = "" if feature.lookback is None else f", at most {feature.lookback} old"
        nulls = " that is not null" if feature.skip_nulls else ""
        return [f"last {feature.column}{nulls} of the same {keys}{age}"]
    aggregate = "" if feature.aggregate is None else feature.aggregate.value
    return [f"{aggregate} of {feature.column} of the same {keys} in the {window} before" for window in feature.windows]
