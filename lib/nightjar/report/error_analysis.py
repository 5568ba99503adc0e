"""Where the champion fails, as its evidence says: slices, errors by night, and what more training days would do."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from nightjar.report.formatting import count_noun, heading, measure
from nightjar.report.period_charts import Frame, lines, spread
from nightjar.report.svg import rect


@dataclass(frozen=True)
class ShownSlice:
    """A slice of the final period.

    Attributes:
        text: its conditions, in words.
        name: of one that was declared under a name; None: others.
        rows: of it.
        share: of all rows.
        error, error_of_rest, baseline_error: mean losses; None: there are no such rows.
        difference: the first minus the second; None: undefined.
        low, high: of the difference; None: see `reason`.
        reason: why there is no interval.
        is_declared: whether it was asked for; others were searched for.
        is_worse: whether its interval lies above 0.
        calibration: the calibration error with its bounds, of two classes; None: none.
    """

    text: str
    name: str | None
    rows: int
    share: float
    error: float | None
    error_of_rest: float | None
    baseline_error: float | None
    difference: float | None
    low: float | None
    high: float | None
    reason: str | None
    is_declared: bool
    is_worse: bool
    calibration: tuple[float | None, float | None, float | None] | None


@dataclass(frozen=True)
class ErrorAnalysis:
    """The analysis of a training.

    Attributes:
        loss: what its mean is called.
        baseline: the model beside.
        slices: those that are worse first, by the lower bound of the difference.
        searched: how slices were searched for, see `learning.evidence.Evidence.slices_searched`.
        by_night: see `learning.evidence.Evidence.by_night`.
        curve: see `learning.evidence.Evidence.learning_curve`.
        metric: of the curve.
    """

    loss: str
    baseline: str
    slices: Sequence[ShownSlice]
    searched: Mapping[str, Any]
    by_night: Sequence[Mapping[str, Any]]
    curve: Sequence[Mapping[str, Any]]
    metric: str

    def search_in_words(self) -> str:
        """How slices were searched for, and what came of it."""
        if self.searched.get("reason"):
            return f"Nothing was found: {self.searched['reason']}."
        number, confirmed = self.searched["candidates"], self.searched["confirmed"]
        of_rows, columns = self.searched.get("of_rows"), count_noun(self.searched["columns"], "column")
        rows = count_noun(self.searched["rows"], "row")
        if of_rows and of_rows > self.searched["rows"]:
            rows = f"a sample of {rows} of the {of_rows:,}"
        among = (
            f"Among all parts of at least {self.searched['least_rows']:,} rows with up to three conditions on {columns}"
        )
        return (
            f"{among}, {count_noun(number, 'part')} looked worse on {rows} of the folds; the final period, which had "
            f"no part in that, confirms {confirmed or 'none'}."
        )

    def bar(self, one: ShownSlice) -> Markup:
        """The interval of the difference on one scale for all slices, with a line at 0."""
        bounds = [bound for each in self.slices for bound in (each.low, each.high, 0.0) if bound is not None]
        low, high = min(bounds), max(bounds)

        def across(value: float) -> float:
            return 2 + 96 * (value - low) / ((high - low) or 1.0)

        start = Markup('<svg class="bar" viewBox="0 0 100 12" preserveAspectRatio="none" aria-hidden="true">')
        zero = Markup('<line x1="{0:.1f}" x2="{0:.1f}" y1="0" y2="12"/>').format(across(0.0))
        if one.low is None or one.high is None or one.difference is None:
            return start + zero + Markup("</svg>")
        level = "much" if one.is_worse else "little"
        span = rect(f"level-{level}", across(one.low), 4, across(one.high) - across(one.low), 4)
        middle = rect(f"level-{level}", across(one.difference) - 0.6, 0, 1.2, 12)
        return start + span + middle + zero + Markup("</svg>")


def charts(analysis: ErrorAnalysis | None) -> list[tuple[Markup, str, str]]:
    """The charts of an analysis, each with its head and what it shows, in words."""
    if analysis is None:
        return []
    over_time = [
        (
            "error",
            f"{heading(analysis.loss)} by night of the final period",
            f"Dashed: that of the baseline {analysis.baseline}.",
        ),
        ("residual", "Outcome minus score by night", "Above 0 the scores were too low, below too high."),
    ]
    result = [(_chart_of_nights(analysis, name, f"{head}. {words}"), head, words) for name, head, words in over_time]
    head = "Learning curve"
    words = f"{heading(analysis.metric)} on this period, of fits on the last days before it. Shaded: 95% intervals."
    result.append((_curve_chart(analysis, f"{head}: {measure(analysis.metric)} by days of training"), head, words))
    return [(drawn, head, words) for drawn, head, words in result if drawn is not None]


def _chart_of_nights(analysis: ErrorAnalysis, name: str, title: str) -> Markup | None:
    """A mean by night: an error beside the baseline's, a residual beside 0; None where it is not recorded."""
    nights = analysis.by_night
    if not nights or name not in nights[0]:
        return None
    beside = [night["baseline_error"] if name == "error" else 0.0 for night in nights]
    return lines(Frame([str(night["night"]) for night in nights]), [night[name] for night in nights], beside, title)


def _curve_chart(analysis: ErrorAnalysis, title: str) -> Markup | None:
    """The metric by training days, with its intervals; None without two of them."""
    points = [point for point in analysis.curve if point["estimate"] is not None]
    if len(points) < 2:
        return None
    frame = Frame([count_noun(point["days"], "day") for point in points])
    low, high = ([_or(point[side], point["estimate"]) for point in points] for side in ("low", "high"))
    return spread(frame, low, [point["estimate"] for point in points], high, title)


def read_error_analysis(evidence: Mapping[str, Any]) -> ErrorAnalysis | None:
    """The analysis that evidence states; None: it was trained without one."""
    searched = evidence.get("slices_searched")
    if not searched:
        return None
    slices = [_slice(one) for one in evidence.get("slices") or []]
    ranked = sorted(slices, key=lambda one: (not one.is_worse, -_or(one.low, -float("inf")), one.text))
    return ErrorAnalysis(
        str(searched.get("loss", "")),
        str(searched.get("baseline", "")),
        ranked,
        searched,
        evidence.get("by_night") or [],
        evidence.get("learning_curve") or [],
        str(evidence.get("metric", "")),
    )


def _slice(stored: Mapping[str, Any]) -> ShownSlice:
    calibration = stored.get("calibration")
    return ShownSlice(
        text=stored["text"],
        name=stored.get("name") if stored.get("name") != stored["text"] else None,
        rows=stored["rows"],
        share=stored["share"],
        error=stored["error"],
        error_of_rest=stored["error_of_rest"],
        baseline_error=stored["baseline_error"],
        difference=stored["estimate"],
        low=stored["low"],
        high=stored["high"],
        reason=stored["reason"],
        is_declared=stored["is_declared"],
        is_worse=stored["is_confirmed"],
        calibration=None if calibration is None else tuple(calibration[part] for part in ("estimate", "low", "high")),
    )


def _or(value: float | None, other: float) -> float:
    return other if value is None else value
