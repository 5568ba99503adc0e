"""Whether the columns of a feature table have different names."""

from collections.abc import Collection, Iterator, Mapping

from nightjar.settings.checks import Issue, expect
from nightjar.settings.features import FeatureGroup

CLOCKS = ("event_time", "known_at")
RESERVED = ("prediction_time", "definitions_hash", "run_date", "run_id")


def column_name_issues(
    spine: Collection[str], features: Mapping[str, FeatureGroup], expressions: Collection[str]
) -> Iterator[Issue]:
    """Two columns of one name, in upper or lower case, in the feature table.

    Args:
        spine: columns of the spine.
        features: group -> its features.
        expressions: names of those that are computed in the row.
    """
    columns = [("spine", name) for name in spine]
    columns += [(f"features.{group}", name) for group in features for name in features[group].names(group)]
    columns += [(f"features.{group}", f"{group}__{clock}") for group in features for clock in CLOCKS]
    columns += [(f"expressions.{name}", name) for name in expressions]
    for name in expressions:
        yield from expect(name.isidentifier(), "expressions", name, "an identifier")
    origins: dict[str, str] = dict.fromkeys(RESERVED, "every feature table")
    for where, name in columns:
        origin = origins.get(name.casefold())
        yield from expect(origin is None, where, name, f"another name: this column is made already by {origin}")
        origins[name.casefold()] = where
