"""Evidence about a model: what is measured of winner and baselines on a final period that the search never saw."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from nightjar.evaluation.intervals import Interval

CHAMPION = "the champion"
"""Among the scores of the final period: the champion's. No candidate is called so: names hold no spaces."""


@dataclass(frozen=True)
class Evidence:
    """Metrics of the final period, with intervals over its entities and blocks of time; promotion decides by them.

    Attributes:
        metric: what the search optimised.
        period: first and last local date, both inclusive.
        candidate: the winner's name and measures.
        baselines: baseline -> measures.
        difference: the winner minus the best baseline in the metric, on the same rows; `over` names the baseline,
            `better` is the sign of an improvement, and `confidence` the interval's.
        differences: baseline -> the same for each of them: all have to be beaten, not the one that looks best on these
            rows.
        champion: the winner minus the champion that it would replace, in the same form, with the champion's `version`,
            `basis`, and whether it `has_expired`: it need not be beaten then; None: there is none.
        null_labels: see `TrainingSet`.
        clusters: how many `entities` and `blocks` the intervals are over, and `block_days`, the dates of a block at
            least. Below three blocks they are of this period only.
        thresholds: of each tier what `learning.fitted_threshold.Threshold` holds, in their order.
        sets: what `evaluation.conformal.ConformalSets` holds; None: nobody asked for them.
        attempt: what is compared with what it would replace, the champion or the best baseline, as `digest`, and at
            which `level`, 0 where there was no chance of an error to take; None: no interval could promote it.
        smallest: the smallest `difference` from that model (`over`) which the period can show, see
            `Comparison.smallest`; None: none.
        swaps: whose decision would change, see `learning.swaps`, or why that is not known; None: there is no champion
            to compare decisions with.
        gates: figures that promotion may have limits for, see `learning.gate_figures`.
        unobserved: see `registry.gates.outcomes_seen`.
        fairness: for each declared group and each criterion what `evaluation.fairness_criteria.GroupFigure` holds, with
            the group's `columns`, its values in them as `group`, of several classes the `class` that is predicted or
            not, and the `confidence` of the comparison.
        importance: of each group of the winner's columns, the greatest first: `columns`, `metric`, and the interval of
            what it loses in the metric where they are permuted among the rows of the period.
        confusion: of several classes, what the rows of each were taken for in the final period: the `classes`, how many
            `rows` each has, and which `shares` of them were predicted as each class; None: there are no classes.
        mitigation: see `learning.mitigation_prices`.
        rehearsal: its nights as monitoring would have followed them, see `evaluation.rehearsal.Rehearsal.to_json`.
        slices, slices_searched, by_night, learning_curve: see `learning.error_analysis`.
    """

    metric: str
    period: tuple[str, str]
    candidate: Mapping[str, Any]
    baselines: Mapping[str, Any]
    difference: Mapping[str, Any]
    differences: Mapping[str, Mapping[str, Any]]
    null_labels: float
    clusters: Mapping[str, int]
    thresholds: Sequence[Mapping[str, Any]] = ()
    champion: Mapping[str, Any] | None = None
    attempt: Mapping[str, Any] | None = None
    smallest: Mapping[str, Any] | None = None
    swaps: Mapping[str, Any] | None = None
    gates: Mapping[str, Any] = field(default_factory=dict)
    unobserved: Mapping[str, Any] | None = None
    fairness: Sequence[Mapping[str, Any]] = ()
    importance: Sequence[Mapping[str, Any]] = ()
    mitigation: Sequence[Mapping[str, Any]] = ()
    slices: Sequence[Mapping[str, Any]] = ()
    slices_searched: Mapping[str, Any] = field(default_factory=dict)
    by_night: Sequence[Mapping[str, Any]] = ()
    learning_curve: Sequence[Mapping[str, Any]] = ()
    confusion: Mapping[str, Any] | None = None
    sets: Mapping[str, Any] | None = None
    rehearsal: Mapping[str, Any] = field(default_factory=dict)

    def of_baseline(self, name: str) -> "Evidence":
        """The evidence of a baseline in the winner's place: its own metrics, without a difference."""
        nothing = {**self.difference, "over": name, **asdict(Interval(None, None, None, 0, "nothing is beside it"))}
        own = {"name": name, **self.baselines[name]}
        return Evidence(self.metric, self.period, own, self.baselines, nothing, {}, self.null_labels, self.clusters)
