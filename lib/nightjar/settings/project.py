"""Settings of a project: its dates, sources, spine, label and features."""

from collections.abc import Collection
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from omegaconf import MISSING

from nightjar.settings.checks import require, require_date, require_names, require_one_of
from nightjar.settings.costs import Costs
from nightjar.settings.features import FeatureGroup
from nightjar.settings.label import Label
from nightjar.settings.sources import BY, Source
from nightjar.settings.spine import Spine
from nightjar.settings.task import Task
from nightjar.settings.texts import require_texts

EXPRESSIONS, DERIVED, LABEL = "project.expressions", "project.spine.derived", "project.label"
RULES = f"{LABEL}.rules"
CLOCKS = ("event_time", "known_at")
RESERVED = ("prediction_time", "definitions_hash", "run_date", "run_id")


@dataclass
class Project:
    """One prediction task from raw data to report.

    Attributes:
        name: also the warehouse folder and the registered model's name.
        zone: business time zone; a run date starts at its midnight.
        first_date, last_date: the local dates that the raw data covers; None: open.
        history_until: run date of the first load and training, for `scripts/nightly`.
        first_night, nights: the nights that `scripts/nightly` scores one after another.
        expressions: feature -> Spark SQL expression over the spine's columns, `prediction_time`, the joined features
            with their matched clocks, and the expressions before it, row by row.
        costs: of wrong decisions, for a classification whose score is acted on.
    """

    name: str = MISSING
    title: str = ""
    zone: str = MISSING
    first_date: str = MISSING
    last_date: str | None = None
    history_until: str = MISSING
    first_night: str = MISSING
    nights: int = 3
    sources: dict[str, Source] = field(default_factory=dict)
    spine: Spine = MISSING
    label: Label = MISSING
    features: dict[str, FeatureGroup] = field(default_factory=dict)
    expressions: dict[str, str] = field(default_factory=dict)
    costs: Costs = field(default_factory=Costs)

    def __post_init__(self) -> None:
        """Check dates, the zone, and that every name that is used is declared."""
        require(self.name.isidentifier() and self.name.islower(), "name", self.name, "a lower-case identifier")
        require_names("name", [self.name])
        require_names("sources", self.sources)
        for name, source in self.sources.items():
            require_texts(f"sources.{name}", source)
            require(BY not in name.casefold(), "sources", name, f"a name without {BY}: layouts' tables have it")
        require_names("features", self.features)
        require(_zone_exists(self.zone), "zone", self.zone, "an IANA time zone such as Europe/Paris")
        require(self.nights >= 1, "nights", self.nights, "at least 1")
        self._check_dates()
        self._check_spine()
        self._check_source("label", self.label.source, self.label.keys, self.label.columns())
        stored = {*self.spine.columns(), *self.feature_names(), "prediction_time", "run_date"}
        require_one_of("label.query", self.label.query, stored, "feature table's columns")
        for name, group in self.features.items():
            columns = [feature.column for feature in group.features.values()]
            self._check_source(f"features.{name}", group.source, group.keys, columns)
        self._check_names()
        decides = self.costs.missed is None or self.label.task is Task.CLASSIFICATION
        require(decides, "costs.missed", self.costs.missed, f"none for label.task={self.label.task.name}")

    def feature_names(self) -> list[str]:
        """Every column that a model may learn from: of the spine, of each group as <group>__<name>, expressions."""
        return [*self.spine.features, *self.joined_names(), *self.expressions]

    def joined_names(self) -> list[str]:
        """The features of all groups."""
        return [name for group, features in self.features.items() for name in features.names(group)]

    def sql_of_sources(self) -> dict[str, str]:
        """Key path -> Spark SQL expression, for all expressions that are applied to raw rows."""
        return {
            f"project.sources.{name}.{part}": sql
            for name, source in self.sources.items()
            for part, sql in source.sql().items()
        }

    def sql_of_rows(self) -> dict[str, str]:
        """Key path -> Spark SQL expression, for all that are applied when features and labels are built."""
        expressions = {f"{DERIVED}.{name}": sql for name, sql in self.spine.derived.items()}
        expressions |= {f"{EXPRESSIONS}.{name}": sql for name, sql in self.expressions.items()}
        expressions |= {f"{RULES}.{name}": sql for name, sql in self.label.rules.items()}
        return expressions | ({f"{LABEL}.condition": self.label.condition} if self.label.condition else {})

    def sources_of(self, features: Collection[str]) -> set[str]:
        """The sources whose facts some features are made of, the spine's among them.

        An expression may use any column: with one among the features, all sources of groups count.
        """
        expressed = not set(features).isdisjoint(self.expressions)
        groups = self.features.items()
        used = {group.source for name, group in groups if expressed or not set(features).isdisjoint(group.names(name))}
        return {self.spine.source} | used

    def _check_dates(self) -> None:
        first = require_date("first_date", self.first_date)
        last = require_date("last_date", self.last_date)
        history = require_date("history_until", self.history_until)
        night = require_date("first_night", self.first_night)
        if first is None or history is None or night is None:
            return
        require(first < history, "history_until", self.history_until, f"a date after first_date={self.first_date}")
        require(history < night, "first_night", self.first_night, f"a date after history_until={self.history_until}")
        require(last is None or night <= last, "first_night", self.first_night, f"at most last_date={self.last_date}")

    def _check_spine(self) -> None:
        require_one_of("spine.source", [self.spine.source], self.sources, "sources")
        used = [*self.spine.stored_columns(), *([self.spine.prediction_time] if self.spine.prediction_time else [])]
        require_one_of("spine", used, self.sources[self.spine.source].stored_columns(), "source's stored columns")

    def _check_names(self) -> None:
        """Refuse two columns of one name, in upper or lower case, in the feature table."""
        columns = [("spine", name) for name in self.spine.columns()]
        columns += [
            (f"features.{group}", name) for group in self.features for name in self.features[group].names(group)
        ]
        columns += [(f"features.{group}", f"{group}__{clock}") for group in self.features for clock in CLOCKS]
        columns += [(f"expressions.{name}", name) for name in self.expressions]
        for name in self.expressions:
            require(name.isidentifier(), "expressions", name, "an identifier")
        origins: dict[str, str] = dict.fromkeys(RESERVED, "every feature table")
        for where, name in columns:
            origin = origins.get(name.casefold())
            require(origin is None, where, name, f"another name: this column is made already by {origin}")
            origins[name.casefold()] = where

    def _check_source(self, where: str, source: str, keys: dict[str, str], columns: list[str]) -> None:
        require_one_of(f"{where}.source", [source], self.sources, "sources")
        stored = self.sources[source].stored_columns()
        require_one_of(f"{where}.keys", keys.values(), stored, f"stored columns of source {source}")
        require_one_of(where, columns, stored, f"stored columns of source {source}")
        require_one_of(f"{where}.keys", keys, [*self.spine.columns(), "prediction_time"], "spine's columns")


def _zone_exists(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return False
    return True
