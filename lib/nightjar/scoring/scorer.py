"""Who scores a night: a version that was verified and checked against it, or a rule of thumb."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from nightjar.errors import LearningError, ModelError
from nightjar.models.columns import feature_columns
from nightjar.models.estimators.rule_grammar import names_in, parse
from nightjar.models.fixed_rule import fixed_rule
from nightjar.registry import verified
from nightjar.registry.manifest import Manifest
from nightjar.registry.opened import opened
from nightjar.registry.signature import Subject
from nightjar.registry.tiers import TierThreshold, columns_of_tiers
from nightjar.scoring.capacity import finish, hold_back
from nightjar.scoring.checks import Holder, log_unknown, require_lifetime, require_usable, sources_lacking_rows
from nightjar.scoring.limits import describe_extremes
from nightjar.scoring.night import Night
from nightjar.scoring.reasons import ReasonsPlan, add_reasons, plan_reasons, with_reasons
from nightjar.scoring.rule_model import Model, RuleModel
from nightjar.settings.task import Task
from nightjar.tables import sink
from nightjar.tables.datafiles import NewFile
from nightjar.tables.predictions import RULE
from nightjar.tables.rows import TaskFunction
from nightjar.tables.sink import Target, UnfinishedTask


@dataclass(frozen=True)
class Scorer:
    """A model that may score a night.

    Attributes:
        number: of the version.
        name: of its candidate.
        artifact: the model, unopened.
    """

    number: str
    name: str
    artifact: Model

    @property
    def manifest(self) -> Manifest:
        """The model's."""
        return self.artifact.manifest

    def columns(self, night: Night) -> list[str]:
        """The columns of the feature table that a score needs."""
        of_model = [*(feature.name for feature in self.manifest.features), *columns_of_tiers(self.manifest.thresholds)]
        return list(dict.fromkeys([*night.key, "prediction_time", *of_model]))

    def tiers(self, night: Night) -> Sequence[TierThreshold]:
        """The tiers of its rows, with their thresholds; none where the project has none."""
        return self.manifest.thresholds if night.project.decision_tiers() else ()

    def stamps(self, night: Night) -> Mapping[str, Any]:
        """What its rows say of it."""
        lacking = sources_lacking_rows(night.warehouse, night.project, self.manifest, night.run_date)
        warnings = ", ".join(lacking) or None
        return {"model_version": self.number, "model_name": self.name, "input_warnings": warnings}


def verified_scorer(night: Night, holder: Holder, *, retrospective: bool = False) -> Scorer:
    """A version that can score the night.

    Raises:
        ModelError: it has expired, fails to verify, or does not fit the night.
    """
    version = holder.version
    require_lifetime(holder, night.run_date, retrospective=retrospective)
    artifact = verified.load(night.environment, Subject(night.project.name, version.model_name, version.number))
    require_usable(night, holder, artifact.manifest, retrospective=retrospective)
    log_unknown(artifact.manifest, version.number, night.project.serving.abstention)
    return Scorer(version.number, version.model_name, artifact)


def reasons_plan(night: Night, scorer: Scorer) -> ReasonsPlan | None:
    """How the reasons of a scorer's rows are made; None where the project declares none, and for a rule, which says
    itself what it goes by.
    """
    if isinstance(scorer.artifact, RuleModel) or not night.project.serving.reasons.is_declared():
        return None
    return plan_reasons(night, scorer.manifest, opened(scorer.artifact).predictor, scorer.number)


def rule_scorer(night: Night) -> Scorer:
    """The project's rule of thumb.

    Raises:
        ModelError: it cannot be evaluated on the night's columns.
    """
    settings, task = night.project.serving.fallback, night.project.label.task
    if settings.rule is None or settings.otherwise is None:
        raise ModelError("project.serving.fallback has no rule.")
    try:
        read = set(names_in(parse(settings.rule))) & set(night.project.feature_names())
        features = feature_columns(night.schema, sorted(read))
        used = fixed_rule(settings.rule, settings.otherwise, features, probability=task is Task.CLASSIFICATION).features
    except LearningError as error:
        raise ModelError(f"project.serving.fallback.rule cannot score the night: {error}") from error
    manifest = Manifest(
        project=night.project.name,
        model_name=RULE,
        task=task.value,
        estimator=RULE,
        parameters={"expression": settings.rule},
        definitions_hash=", ".join(sorted(night.definitions)),
        code_revision="",
        seeds={},
        data={},
        data_cutoff="",
        data_hash="",
        rows=0,
        period=("", ""),
        metrics={},
        baselines={},
        features=used,
        structure={"estimator": {}, "members": []},
    )
    return Scorer(RULE, RULE, RuleModel(manifest, settings.rule, settings.otherwise))


def write(
    night: Night,
    scorer: Scorer,
    make: Callable[[TaskFunction], TaskFunction],
    into: Target,
    plan: ReasonsPlan | None = None,
    *,
    is_bounded: bool,
) -> list[NewFile]:
    """Score the night and store the rows, which nobody sees until they are committed.

    Args:
        night: that is scored.
        scorer: who scores it.
        make: from what reads a share of the night's rows to what makes scores of them.
        into: the table, with what all rows say.
        plan: how the reasons are made of what the rows carry; None: no row has any.
        is_bounded: whether a budget says how long that may take.

    Raises:
        ModelError: the model cannot compute with a row; names rows with numbers that are too great.
    """
    files, unfinished = write_parts(night, scorer, make, into, plan, is_bounded=is_bounded)
    return files + write_unfinished(night, scorer, unfinished, into, plan)


def write_parts(
    night: Night,
    scorer: Scorer,
    make: Callable[[TaskFunction], TaskFunction],
    into: Target,
    plan: ReasonsPlan | None = None,
    *,
    is_bounded: bool,
) -> tuple[list[NewFile], list[pa.Table]]:
    """The same without the rows of which only the whole night tells the tier: these are for `write_unfinished`."""
    columns, artifact = scorer.columns(night), scorer.artifact
    tiers = scorer.tiers(night)

    def task(read: TaskFunction) -> UnfinishedTask:
        score = make(read)
        return with_reasons(lambda batches: hold_back(score(batches), tiers), lambda: opened(artifact).predictor, plan)

    try:
        return night.make(columns, task, into, is_bounded=is_bounded)
    except ModelError as error:
        culprits = describe_extremes(
            night.in_pieces(columns), scorer.manifest.features, [*night.key, "prediction_time"]
        )
        raise ModelError(f"{error} {culprits}".strip()) from error


def write_unfinished(
    night: Night,
    scorer: Scorer,
    tables: Sequence[pa.Table],
    into: Target,
    plan: ReasonsPlan | None = None,
    claimed: Mapping[str, int] | None = None,
) -> list[NewFile]:
    """Store the rows that tasks have held back, with their tiers; `claimed` are places that other roles' rows have."""
    if not tables:
        return []
    rows = finish(tables, scorer.tiers(night), claimed)
    return sink.write(rows if plan is None else add_reasons(rows, opened(scorer.artifact).predictor, plan), into)
