"""The features of a model in words, as its project defines them."""

from collections.abc import Mapping
from dataclasses import dataclass

from nightjar.expressions.lineage import features
from nightjar.expressions.project_lineage import lineage_of
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
    steps = lineage_of(project).steps
    sources = dict.fromkeys(project.spine.features, project.spine.source)
    sources |= {name: group.source for key, group in project.features.items() for name in group.names(key)}
    return {name: (steps[features(name)].meaning, sources.get(name, "")) for name in project.feature_names()}
