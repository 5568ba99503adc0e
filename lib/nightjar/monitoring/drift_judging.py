"""Which subjects are farther from their reference than its own nights, or than their thresholds allow."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from nightjar.evaluation.judgements import WindowJudgement
from nightjar.evaluation.nulls import Null
from nightjar.evaluation.windows import judge as judge_with_windows
from nightjar.monitoring.drift_figures import is_constant, is_far
from nightjar.monitoring.drift_history import History
from nightjar.monitoring.drift_references import Reference, References
from nightjar.monitoring.night_counts import Night
from nightjar.monitoring.signals import State
from nightjar.settings.monitoring.drift import Drift
from nightjar.tables.references import ALL_COLUMNS, ALL_SCORES

SHARE = 0.5
"""Of the false alarms that are allowed in all, what features and scores may each spend."""
HISTORY = 28
"""Nights before whose studentised distances are looked at."""


@dataclass(frozen=True)
class Assessment:
    """How bad one subject is, or several together.

    Attributes:
        state: None: it is not judged.
        reason: why it is not judged, or why it is so bad, where its distance alone does not say it.
        studentised: how far it is in the spread of the reference's nights; None: no null is stored.
        p_value: the chance that a night without a change has any subject so far.
        threshold: what `greatest` has to reach to be watched.
        greatest: of `studentised` and of its means over the last nights.
        span: how many nights that one is over.
        nights: of the null, of several together.
        windows: days -> how far it is over a window, of those that are judged.
    """

    state: State | None
    reason: str | None = None
    studentised: float | None = None
    p_value: float | None = None
    threshold: float | None = None
    greatest: float | None = None
    span: int | None = None
    nights: int = 0
    windows: Mapping[int, WindowJudgement] = field(default_factory=dict)

    @property
    def has_moved(self) -> bool:
        """Whether somebody should look."""
        return self.state in (State.WATCH, State.ACT)


NOT_TESTED = "not judged: prediction time alone decides it"
NOT_LISTED = "not judged: project.monitoring.drift.columns has other columns"
NO_NULL = "the version has no nights to judge by: it was trained by an earlier Nightjar, or on too few nights"
CONSTANT, EMPTY = "all rows have one value", "no row has a value"
FAR = "its mean is far outside anything in training"
OF_LITTLE_USE = "it moved, and the model uses too little of it for more"
FAULTS = (CONSTANT, EMPTY, FAR)
"""What no weather explains: a fault of what sends the column, most likely."""


def judge(
    references: References,
    night: Night,
    figures: Mapping[str, Mapping[str, float | None]],
    history: History,
    settings: Drift,
    run_date: date,
) -> dict[str, Assessment]:
    """Subject -> how bad it is; also of `ALL_COLUMNS` and `ALL_SCORES` together.

    Args:
        references: of the version that scored the night.
        night: its counts.
        figures: subject -> measure -> value.
        history: the nights before.
        settings: which columns matter, and own thresholds.
        run_date: the night.
    """
    assessments = {name: Assessment(State.UNKNOWN, reason) for name, reason in night.failures.items()}
    for family, names in ((ALL_COLUMNS, _features(references)), (ALL_SCORES, references.scores)):
        if names:
            assessments |= _judge_family(family, names, references, night, history, settings.windows, run_date)
    for name, reference in references.subjects.items():
        if name in night.counts and name not in night.failures:
            assessment = assessments.get(name, Assessment(None))
            own = settings.thresholds.get(name)
            if own is not None:
                state = _by_threshold(own.watch, own.act, figures[name].get(own.measure.value))
                assessment = Assessment(state, studentised=assessment.studentised)
            elif not reference.is_tested:
                assessment = Assessment(None, NOT_TESTED)
            elif settings.columns and name not in [*settings.columns, *references.scores]:
                assessment = Assessment(None, NOT_LISTED)
            assessments[name] = _plain_faults(assessment, reference, night, name)
    return assessments


def _features(references: References) -> list[str]:
    return [name for name in references.subjects if name not in references.scores]


def _judge_family(
    family: str,
    names: Sequence[str],
    references: References,
    night: Night,
    history: History,
    windows: Sequence[int],
    run_date: date,
) -> Iterator[tuple[str, Assessment]]:
    text = references.nulls.get(family)
    if text is None:
        yield family, Assessment(State.UNKNOWN, NO_NULL)
        return
    numbers = [name for name in names if references.subjects[name].bins.kind == "numeric"]
    null = Null.from_json(text, numbers)
    lag = (run_date - null.dates[-1].astype(object)).days
    counts = {name: night.counts[name] for name in names if name in night.counts and name not in night.failures}
    expected = {name: references.subjects[name].counts for name in counts}
    result = judge_with_windows(
        *(null, run_date, lag, counts, expected, history.distances(), history.counts, windows), share=SHARE
    )
    for name, one in result.columns.items():
        yield (
            name,
            Assessment(
                *(State(one.state), None, one.studentised, one.p, result.watch, one.greatest, one.span, result.nights),
                windows=one.windows,
            ),
        )
    reason = None if result.state != State.UNKNOWN.value else NO_NULL
    yield (
        family,
        Assessment(State(result.state), reason, None, result.p, result.watch, result.maximum, None, result.nights),
    )


def _by_threshold(watch: float, act: float | None, value: float | None) -> State:
    if value is None:
        return State.UNKNOWN
    if act is not None and value >= act:
        return State.ACT
    return State.WATCH if value >= watch else State.OK


def _plain_faults(assessment: Assessment, reference: Reference, night: Night, name: str) -> Assessment:
    """What needs no null to be seen: a column without any value, with one alone, or with values of another world."""
    counts = night.counts[name]
    if assessment.reason in (NOT_TESTED, NOT_LISTED) or not counts.sum():
        return assessment
    is_empty = counts[0] == counts.sum() and reference.counts[0] < reference.counts.sum() / 2
    if is_empty:
        return replace(assessment, state=State.ACT, reason=EMPTY)
    if name in night.moments and is_far(reference, night.moments[name][0]):
        return replace(assessment, state=State.ACT, reason=FAR)
    if is_constant(reference, counts):
        return replace(assessment, state=State.ACT if assessment.state is State.ACT else State.WATCH, reason=CONSTANT)
    return assessment
