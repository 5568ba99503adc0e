"""The champion of the night, and the evidence with which it was promoted."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import pyarrow.compute as pc

from nightjar.registry import period
from nightjar.registry.events import STAND_IN
from nightjar.registry.lifetime import Lifetime, lifetime
from nightjar.report.error_analysis import ErrorAnalysis, read_error_analysis
from nightjar.report.fairness import Grouping, ShownMitigation, read_fairness, read_mitigation
from nightjar.report.figures import JudgedFigure
from nightjar.report.reading import PinnedTables
from nightjar.report.tiers import ShownTier, read_tiers


@dataclass(frozen=True)
class Estimate:
    """A figure with its interval; None where the evidence does not state one."""

    estimate: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True)
class ModelFigures:
    """One model of the evidence: the candidate, or a baseline beside it."""

    name: str
    is_baseline: bool
    measures: dict[str, Estimate]


@dataclass(frozen=True)
class Promise:
    """The performance of the champion that its evidence states.

    Attributes:
        null_labels: share of null labels when it was trained, which were neither trained on nor measured.
        intervals_over: in words, see `registry.period`.
        this_period_only: whether the intervals say nothing of other periods.
    """

    metric: str | None
    period: tuple[str, ...]
    models: tuple[ModelFigures, ...]
    over: str | None
    difference: Estimate
    reason: str | None
    null_labels: float | None
    intervals_over: str
    this_period_only: bool

    def measures(self) -> list[str]:
        """Every measure that some model of the evidence has, the metric first; of one class of several none."""
        names = [name for model in self.models for name in model.measures if "[" not in name]
        return list(dict.fromkeys([*(name for name in names if name == self.metric), *names]))

    def own(self) -> dict[str, JudgedFigure]:
        """Every figure of the champion."""
        model = next((model for model in self.models if not model.is_baseline), None)
        figures = {} if model is None else model.measures
        return {name: JudgedFigure(one.estimate, one.low, one.high, 0, None) for name, one in figures.items()}

    def of_champion(self, measure: str) -> Estimate | None:
        """The champion's own figure."""
        return next((model.measures.get(measure) for model in self.models if not model.is_baseline), None)


@dataclass(frozen=True)
class Champion:
    """The champion of the night.

    Attributes:
        since: the first run date at which it is champion.
        is_stand_in: whether it is a baseline that stands in for a refused winner.
        promise: None if the event has no evidence that can be read.
        tiers: those that its evidence states thresholds of, in their order.
        lifetime: when it is to be validated again, and when it expires.
        fairness: how it treats the declared groups.
        mitigation: what treats them more alike, and its price.
        analysis: where it fails; None: its evidence does not say.
        confusion: what the rows of each class of its final period were taken for; None: its evidence does not say.
    """

    version: str
    name: str | None
    since: date
    is_stand_in: bool
    promise: Promise | None
    tiers: list[ShownTier]
    lifetime: Lifetime
    fairness: list[Grouping]
    mitigation: list[ShownMitigation]
    analysis: ErrorAnalysis | None
    confusion: Mapping[str, Any] | None


@dataclass(frozen=True)
class Refusal:
    """A version that was trained to become champion and was refused, and why."""

    version: str
    name: str | None
    since: date
    reason: str


def find_refusal(tables: PinnedTables, champion: Champion | None) -> Refusal | None:
    """The night's own last decision if it was a refusal; if no winner is champion, also an earlier last decision."""
    where = pc.field("event").isin(["promoted", "refused"]) & (pc.field("holds_from") <= tables.run_date)
    columns = ["event", "event_id", "model_version", "model_name", "holds_from", "evidence", "recorded_at"]
    decisions = [
        row for row in tables.rows("model_events", columns, where) if not _parse_evidence(row["evidence"]).get(STAND_IN)
    ]
    row = max(decisions, key=_recency, default=None)
    winner_holds = champion is not None and not champion.is_stand_in
    if row is None or row["event"] != "refused" or (winner_holds and row["holds_from"] < tables.run_date):
        return None
    reason = _parse_evidence(row["evidence"]).get("reason")
    return Refusal(
        row["model_version"], row["model_name"], row["holds_from"], str(reason or "the reason was not recorded")
    )


def find_champion(tables: PinnedTables) -> Champion | None:
    """The promotion with the latest first run date up to the night, of several the one recorded last."""
    columns = ["event_id", "model_version", "model_name", "holds_from", "evidence", "recorded_at"]
    where = (pc.field("event") == "promoted") & (pc.field("holds_from") <= tables.run_date)
    promotions = tables.rows("model_events", columns, where)
    row = max(promotions, key=_recency, default=None)
    if row is None:
        return None
    evidence = _parse_evidence(row["evidence"])
    return Champion(
        row["model_version"],
        row["model_name"],
        row["holds_from"],
        bool(evidence.get(STAND_IN)),
        read_promise(row["evidence"]),
        read_tiers(evidence),
        lifetime(evidence),
        read_fairness(evidence),
        read_mitigation(evidence),
        read_error_analysis(evidence),
        evidence.get("confusion"),
    )


def _recency(row: dict[str, Any]) -> tuple[Any, ...]:
    return row["holds_from"], row["recorded_at"], row["event_id"]


def read_promise(evidence: str | None) -> Promise | None:
    """The evidence of a promotion; None if it names no candidate. Fields that it lacks are None."""
    return promise_of(_parse_evidence(evidence))


def promise_of(stored: Mapping[str, Any]) -> Promise | None:
    """The same of evidence that is read already."""
    candidate = _mapping(stored.get("candidate"))
    if not candidate:
        return None
    name = str(candidate.get("name", "candidate"))
    baselines = _mapping(stored.get("baselines")).items()
    difference = _mapping(stored.get("difference"))
    dates = stored.get("period")
    return Promise(
        metric=str(stored["metric"]) if stored.get("metric") else None,
        period=tuple(map(str, dates)) if isinstance(dates, list) else (),
        models=(
            ModelFigures(name, is_baseline=False, measures=_estimates(candidate)),
            *(
                ModelFigures(str(key), is_baseline=True, measures=_estimates(_mapping(value)))
                for key, value in baselines
            ),
        ),
        over=str(difference["over"]) if "over" in difference else None,
        difference=_estimate(difference),
        reason=str(stored["reason"]) if stored.get("reason") else None,
        null_labels=_number(stored.get("null_labels")),
        intervals_over=period.intervals_over(stored),
        this_period_only=period.this_period_only(stored) is not None,
    )


def _parse_evidence(evidence: str | None) -> dict[str, Any]:
    try:
        return _mapping(json.loads(evidence or "{}"))
    except ValueError:
        return {}


def _estimates(model: dict[str, Any]) -> dict[str, Estimate]:
    return {str(key): _estimate(value) for key, value in model.items() if "estimate" in _mapping(value)}


def _estimate(value: dict[str, Any]) -> Estimate:
    return Estimate(*(_number(value.get(part)) for part in ("estimate", "low", "high")))


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _mapping(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
