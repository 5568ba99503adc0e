"""Settings of a project: its dates, sources, spine, label and features."""

from collections.abc import Collection, Iterator
from dataclasses import KW_ONLY, field

from nightjar.settings.analysis import Analysis
from nightjar.settings.checks import Issue, expect, expect_names, expect_one_of, expect_zone
from nightjar.settings.column_names import column_name_issues
from nightjar.settings.costs import Costs
from nightjar.settings.explaining import Explaining
from nightjar.settings.fairness import GroupFairness, MitigationKind
from nightjar.settings.features import FeatureGroup
from nightjar.settings.feedback import Feedback
from nightjar.settings.fields import Count, DateText
from nightjar.settings.label import Label
from nightjar.settings.layouts import BY
from nightjar.settings.measuring import Measuring
from nightjar.settings.model_card import ModelCard
from nightjar.settings.monitoring.monitoring import Monitoring
from nightjar.settings.promotion import Promotion
from nightjar.settings.relations import relation_issues
from nightjar.settings.serving.reviewing import reviewing_issues
from nightjar.settings.serving.serving import ProjectNames, Serving
from nightjar.settings.sources import Source
from nightjar.settings.spine import Spine
from nightjar.settings.task import Task
from nightjar.settings.texts import text_issues
from nightjar.settings.tiers import Tier, TierKind, tier_issues
from nightjar.settings.validation import settings

EXPRESSIONS, DERIVED, LABEL = "project.expressions", "project.spine.derived", "project.label"
RULES = f"{LABEL}.rules"


@settings
class Project:
    """One prediction task from raw data to report.

    Attributes:
        name: also the warehouse folder and the registered model's name; a lower-case identifier.
        title: what reports call it; none: the name.
        zone: business time zone; a run date starts at its midnight.
        first_date, last_date: the local dates that the raw data covers; None: open.
        history_until: run date of the first load and training, for `scripts/nightly`.
        first_night: the first of the nights that `scripts/nightly` scores one after another.
        nights (nights): how many these are.
        sources: name -> where raw data lies, and how it becomes facts.
        spine: the rows to build features for.
        label: what is predicted of each of them.
        features: name of a group -> features from one source by one key set.
        expressions: feature -> Spark SQL expression over the spine's columns, `prediction_time`, the joined features
            with their matched clocks, and the expressions before it, row by row.
        costs: of wrong decisions, for a classification whose score is acted on, or between several classes.
        tiers: name -> which rows are acted on in it, in order: a row is in the first tier whose threshold it reaches.
            Without any, costs make one: `act`, of the lowest cost.
        measuring: what some measures of predictions take besides labels and scores.
        promotion: what a new version has to show before it becomes champion.
        fairness: the groups that it is to be fair to, for a classification.
        feedback: how acting on scores changes outcomes.
        explain: what explanations may say.
        analysis: what a training looks into besides its metrics.
        card: what its models are for, and who answers for them.
        serving: how scores are made, decided on, explained, reviewed and published.
        monitoring: how nights are watched.
    """

    _: KW_ONLY
    name: str
    title: str = ""
    zone: str
    first_date: DateText
    last_date: DateText | None = None
    history_until: DateText
    first_night: DateText
    nights: Count = 3
    sources: dict[str, Source] = field(default_factory=dict)
    spine: Spine
    label: Label
    features: dict[str, FeatureGroup] = field(default_factory=dict)
    expressions: dict[str, str] = field(default_factory=dict)
    costs: Costs = field(default_factory=Costs)
    tiers: dict[str, Tier] = field(default_factory=dict)
    measuring: Measuring = field(default_factory=Measuring)
    promotion: Promotion = field(default_factory=Promotion)
    fairness: GroupFairness = field(default_factory=GroupFairness)
    feedback: Feedback = field(default_factory=Feedback)
    explain: Explaining = field(default_factory=Explaining)
    analysis: Analysis = field(default_factory=Analysis)
    card: ModelCard = field(default_factory=ModelCard)
    serving: Serving = field(default_factory=Serving)
    monitoring: Monitoring = field(default_factory=Monitoring)

    def issues(self) -> Iterator[Issue]:
        """Whether dates follow each other, the zone exists, and every name that is used is declared."""
        yield from expect(
            self.name.isidentifier() and self.name.islower(), "name", self.name, "a lower-case identifier"
        )
        yield from expect_names("name", [self.name])
        yield from expect_names("sources", self.sources)
        for name, source in self.sources.items():
            yield from text_issues(f"sources.{name}", source)
            yield from expect(
                BY not in name.casefold(), "sources", name, f"a name without {BY}: layouts' tables have it"
            )
        yield from relation_issues(self.sources)
        yield from expect_names("features", self.features)
        yield from expect_zone("zone", self.zone)
        yield from self._date_issues()
        yield from self._spine_issues()
        yield from self._source_issues("label", self.label.source, self.label.keys, self.label.columns())
        if self.label.acted.column is not None:
            yield from self._source_issues("label.acted", *self.label.action_facts(), [self.label.acted.column])
        stored = {*self.spine.columns(), *self.feature_names(), "prediction_time", "run_date"}
        yield from expect_one_of("label.query", self.label.query, stored, "feature table's columns")
        for name, group in self.features.items():
            columns = [feature.column for feature in group.features.values()]
            yield from self._source_issues(f"features.{name}", group.source, group.keys, columns)
        yield from column_name_issues(self.spine.columns(), self.features, self.expressions)
        yield from self._group_issues(stored)
        yield from expect_one_of("explain.actionable", self.explain.actionable, self.feature_names(), "features")
        serving, task, moved = self.serving, self.label.task, self.fairness.mitigation.kind is MitigationKind.THRESHOLDS
        yield from tier_issues(self.tiers, task, self.costs, moved=moved, whole=serving.tiers_of_any_number())
        names = ProjectNames(stored, self.feature_names(), task, self.decision_tiers(), self.label.classes)
        parts = {
            "analysis": self.analysis.column_issues(stored),
            "costs": self.costs.issues_with(self.label, stored),
            "serving": serving.issues_with(names),
            "monitoring": self.monitoring.issues_with(stored, names.features),
        }
        for part, issues in parts.items():
            yield from (Issue(f"{part}.{issue.field}", issue.value, issue.expected) for issue in issues)
        yield from reviewing_issues(serving.review, self.label, self.sources, self.spine.key)

    def class_costs(self) -> tuple[tuple[float, ...], ...]:
        """What mistakes between several classes cost, (actual, predicted), as declared; () for other tasks."""
        return self.costs.between(list(self.label.classes))

    def decision_tiers(self) -> dict[str, Tier]:
        """The tiers, in order; of costs alone the one tier that they make."""
        return self.tiers or ({} if self.costs.missed is None else {"act": Tier(TierKind.COST)})

    def feature_names(self) -> list[str]:
        """Every column that a model may learn from: of the spine, of each group as <group>__<name>, expressions."""
        return [*self.spine.features, *self.joined_names(), *self.expressions]

    def joined_names(self) -> list[str]:
        """The features of all groups."""
        return [name for group, features in self.features.items() for name in features.names(group)]

    def label_inputs(self) -> list[str]:
        """The columns of the rows to label: those that name a row and its outcome, and all that rules may use."""
        of_rules = self.spine.columns() if self.label.rules else []
        return list(
            dict.fromkeys([*self.spine.key, *self.label.keys, *self.label.acted.keys, "prediction_time", *of_rules])
        )

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

    def judged_groups(self) -> list[tuple[str, ...]]:
        """The columns that tell apart the groups that decisions are compared for, one tuple for each way."""
        return self.fairness.judged(self.promotion.fairness.ways())

    def group_columns(self) -> list[str]:
        """The columns of `judged_groups`, each once."""
        return list(dict.fromkeys(name for columns in self.judged_groups() for name in columns))

    def slice_columns(self) -> list[str]:
        """The columns of the feature table by which a training tells rows apart."""
        return list(dict.fromkeys([*self.promotion.slices.columns, *self.group_columns(), *self.analysis.columns()]))

    def sources_of(self, features: Collection[str]) -> set[str]:
        """The sources whose facts some features are made of, the spine's among them.

        An expression may use any column: with one among the features, all sources of groups count.
        """
        expressed = not set(features).isdisjoint(self.expressions)
        groups = self.features.items()
        used = {group.source for name, group in groups if expressed or not set(features).isdisjoint(group.names(name))}
        return {self.spine.source} | used

    def _group_issues(self, stored: Collection[str]) -> Iterator[Issue]:
        """Whether the columns that tell rows apart are stored, and decisions are judged only where there are some."""
        promotion, classifies = self.promotion, self.label.task.has_classes
        of_gates, of_slices = promotion.fairness.ways(), promotion.slices.columns
        for name, columns in {"slices": of_slices, "fairness": promotion.fairness.column_names()}.items():
            yield from expect_one_of(f"promotion.{name}.columns", columns, stored, "feature table's columns")
        none = f"none for label.task={self.label.task}"
        error, groups, mitigated = promotion.calibration_error, self.fairness.groups, self.fairness.mitigation.columns
        yield from expect(classifies or not of_gates, "promotion.fairness.columns", promotion.fairness.columns, none)
        yield from expect(classifies or not groups, "fairness.groups", groups, none)
        yield from expect(
            self.label.task is Task.CLASSIFICATION or not mitigated, "fairness.mitigation.columns", mitigated, none
        )
        yield from self.fairness.issues_with(of_gates, stored, self.feature_names())
        kind = self.fairness.mitigation.kind
        decides = kind is not MitigationKind.THRESHOLDS or bool(self.decision_tiers())
        yield from expect(decides, "fairness.mitigation.kind", kind.word, "another kind, or project.tiers or costs")
        yield from expect(classifies or error is None, "promotion.calibration_error", error, none)

    def _date_issues(self) -> Iterator[Issue]:
        first, last, history, night = self.first_date, self.last_date, self.history_until, self.first_night
        yield from expect(first < history, "history_until", history, f"a date after first_date={first}")
        yield from expect(history < night, "first_night", night, f"a date after history_until={history}")
        yield from expect(last is None or night <= last, "first_night", night, f"at most last_date={last}")

    def _spine_issues(self) -> Iterator[Issue]:
        yield from expect_one_of("spine.source", [self.spine.source], self.sources, "sources")
        if self.spine.source in self.sources:
            stored = self.sources[self.spine.source].stored_columns()
            times = [self.spine.prediction_time] if self.spine.prediction_time else []
            yield from expect_one_of("spine", [*self.spine.stored_columns(), *times], stored, "source's stored columns")

    def _source_issues(self, where: str, source: str, keys: dict[str, str], columns: list[str]) -> Iterator[Issue]:
        yield from expect_one_of(f"{where}.source", [source], self.sources, "sources")
        if source not in self.sources:
            return
        stored = self.sources[source].stored_columns()
        yield from expect_one_of(f"{where}.keys", keys.values(), stored, f"stored columns of source {source}")
        yield from expect_one_of(where, columns, stored, f"stored columns of source {source}")
        yield from expect_one_of(f"{where}.keys", keys, [*self.spine.columns(), "prediction_time"], "spine's columns")
