"""The facts of the night below its verdict, as numbers and in plain words."""

from nightjar.report.arrivals import SourceArrival
from nightjar.report.champion import Champion
from nightjar.report.data_quality import RefusedRows
from nightjar.report.drift import MUCH, ColumnDrift, Drift
from nightjar.report.figures import Fact
from nightjar.report.formatting import count_noun, figure, measure, percent, shorten, whole
from nightjar.report.job_runs import JobRun
from nightjar.report.performance import latest_with
from nightjar.report.report_data import NightData
from nightjar.report.scores import Scores
from nightjar.report.states import ACT, WATCH, badge

_NAMED = 5
_SHORT = 160


def facts(night: NightData) -> list[Fact]:
    """The night's numbers: steps that stopped it, a refused promotion, scores, performance, drift, short arrivals,
    refused rows and steps.
    """
    return [
        *_stop_facts(night.steps),
        *_refusal_facts(night),
        Fact("0", "scores", night.rest, "scores") if night.rest else _scores_fact(night.scores, night.champion),
        _performance_fact(night),
        *([] if night.rest and night.drift is None else _drift_facts(night.drift)),
        *_arrival_facts(night.arrivals),
        _refusals_fact(night.refused),
        _steps_fact(night.steps),
    ]


def sentences(night: NightData) -> list[str]:
    """Verdict and facts in plain words, to be copied into a message."""
    return [
        f"{badge(night.verdict.state)}: {night.verdict.sentence}",
        *_stop_words(night.steps),
        *_refusal_words(night),
        f"Nothing was to be scored: {night.rest}." if night.rest else _scores_words(night.scores),
        *_arrival_words(night.arrivals),
        *([] if night.rest and night.drift is None else [_drift_words(night.drift)]),
        _refusals_words(night.refused),
        _performance_words(night),
    ]


def _stops(steps: list[JobRun]) -> list[JobRun]:
    """The steps that stopped the night; the nightly itself only if no other step did."""
    bad = [step for step in steps if step.stops_a_night()]
    return [step for step in bad if step.job != "nightly"] or bad


def _stop_facts(steps: list[JobRun]) -> list[Fact]:
    return [
        Fact(
            step.job,
            f"ended as {step.status}",
            shorten(step.error or "no error was recorded", _SHORT),
            "steps",
            is_marked=True,
        )
        for step in _stops(steps)
    ]


def _stop_words(steps: list[JobRun]) -> list[str]:
    return [
        f"The night stopped: {step.job} ended as {step.status}."
        + (f" {step.error}" if step.error not in (None, step.status) else "")
        for step in _stops(steps)
    ]


def _refusal_facts(night: NightData) -> list[Fact]:
    refusal = night.refusal
    if refusal is None:
        return []
    label, section = f"was refused on {refusal.since}", "decision" if night.decision else "steps"
    return [Fact(f"version {refusal.version}", label, shorten(refusal.reason, _SHORT), section, is_marked=True)]


def _refusal_words(night: NightData) -> list[str]:
    refusal, champion = night.refusal, night.champion
    if refusal is None:
        return []
    does = "stands in" if champion and champion.is_stand_in else "still holds"
    holds = f"version {champion.version} ({champion.name}) {does}" if champion else "no champion holds"
    name = f" ({refusal.name})" if refusal.name else ""
    return [f"Promotion of version {refusal.version}{name} was refused on {refusal.since}, {holds}. {refusal.reason}"]


def _scores_fact(scores: Scores | None, champion: Champion | None) -> Fact:
    if scores is None or not scores.rows:
        return Fact("0", "scores", "nothing was scored as champion", "scores", is_marked=True)
    rows, label = scores.rows, "score" if scores.rows == 1 else "scores"
    expected = {*scores.challengers, *([champion.version] if champion else [])}
    other_versions = [version for version in scores.versions if version not in expected]
    odd = [f"made by version {', '.join(other_versions)}"] if other_versions else []
    odd += [f"in the champion's place, by the {who}" for who in scores.fallback]
    odd += [f"made with too little of {', '.join(scores.warnings)}"] if scores.warnings else []
    words = [f"{whole(number)} by challenger {version}" for version, number in scores.challengers.items()]
    return Fact(whole(rows), label, "; ".join([*(odd or [_mean(scores)]), *words]), "scores", is_marked=bool(odd))


def _performance_fact(night: NightData) -> Fact:
    name, champion = night.measures.first.name, night.champion
    latest_with_value = latest_with(night.judged, name)
    if latest_with_value is None:
        return Fact(
            "–", measure(name), "no judged date has one" if night.judged else "no date judged yet", "performance"
        )
    latest, value = latest_with_value
    promise = champion.promise.of_champion(name) if champion and champion.promise else None
    state = "provisional" if latest.is_provisional else "final"
    promised = f", promised {figure(promise.estimate)}" if promise and promise.estimate is not None else ""
    return Fact(figure(value), f"{measure(name)} of {latest.day}", state + promised, "performance")


def _drift_facts(drift: Drift | None) -> list[Fact]:
    if drift is None:
        return [Fact("–", "columns that moved", "drift was not measured", "drift", is_marked=True)]
    of = f"of {len(drift.columns)}"
    if not drift.is_judged:
        much = _with_much(drift)
        label = f"{_columns(much)} with PSI ≥\N{NO-BREAK SPACE}{MUCH}"
        return [Fact(str(len(much)), label, f"{of}; not judged: no null is stored", "drift")]
    act, watch = drift.of_state(ACT), drift.of_state(WATCH)
    label = f"{_columns([*act, *watch])} moved beyond what is usual"
    detail = f"{of}; {len(act)} to act on" if act else of
    return [Fact(str(len(act) + len(watch)), label, detail, "drift", is_marked=bool(act))]


def _with_much(drift: Drift) -> list[ColumnDrift]:
    return [column for column in drift.columns if (column.psi() or 0.0) >= MUCH]


def _arrival_facts(arrivals: list[SourceArrival]) -> list[Fact]:
    """The sources that brought too little; no fact if there are none."""
    short = [arrival.source for arrival in arrivals if arrival.is_short()]
    label = f"{'source' if len(short) == 1 else 'sources'} brought too little"
    named = ", ".join(short)
    return [Fact(f"{len(short)} of {len(arrivals)}", label, named, "data", is_marked=True)] if short else []


def _refusals_fact(refused: RefusedRows | None) -> Fact:
    if refused is None:
        return Fact("–", "refused rows", "not recorded", "data")
    reasons = len(refused.reasons) + refused.more
    detail = f"for {count_noun(reasons, 'reason')}" if refused.rows else "in the table quarantine"
    return Fact(
        whole(refused.rows),
        "refused row" if refused.rows == 1 else "refused rows",
        detail,
        "data",
        is_marked=refused.rows > 0,
    )


def _steps_fact(steps: list[JobRun]) -> Fact:
    ran = [step for step in steps if step.status is not None]
    bad = [step.job for step in ran if step.is_bad()]
    done = f"{len(ran) - len(bad)} of {len(ran)}"
    if bad:
        return Fact(done, "recorded steps done", f"not done: {', '.join(bad)}", "steps", is_marked=True)
    return Fact(done if ran else "–", "recorded steps done", "none failed" if ran else "no runs recorded", "steps")


def _scores_words(scores: Scores | None) -> str:
    if scores is None or not scores.rows:
        return "No scores were made as champion for this night."
    marked = f", all of them marked, for they need {' and '.join(scores.warnings)}" if scores.warnings else ""
    return f"{count_noun(scores.rows, 'score')}, {_mean(scores)}{marked}."


def _drift_words(drift: Drift | None) -> str:
    if drift is None:
        return "Drift was not measured."
    compared = count_noun(len(drift.columns), "compared column")
    if not drift.is_judged:
        much = _with_much(drift)
        return (
            f"Of {compared}, {len(much) or 'none'} {'has' if len(much) == 1 else 'have'} a PSI of {MUCH} or more"
            f"{_list_names(much)}; whether that is unusual is not judged, as no null is stored with the model."
        )
    act, watch = drift.of_state(ACT), drift.of_state(WATCH)
    if not act and not watch:
        return f"Of {compared}, none moved beyond what is usual."
    parts = [f"{len(act)} to act on{_list_names(act)}"] if act else []
    parts += [f"{len(watch)} to watch{_list_names(watch)}"] if watch else []
    return f"Of {compared}, {len(act) + len(watch)} moved beyond what is usual: {' and '.join(parts)}."


def _arrival_words(arrivals: list[SourceArrival]) -> list[str]:
    """The sources that brought too little, in words; no sentence if there are none."""
    short = [f"{arrival.source} ({_amount(arrival)})" for arrival in arrivals if arrival.is_short()]
    return [f"Too little came in of {' and '.join(short)}."] if short else []


def _amount(arrival: SourceArrival) -> str:
    usual = "" if arrival.typical is None else f", {whole(arrival.typical)} on a typical night"
    return count_noun(arrival.rows, "new row") + usual


def _refusals_words(refused: RefusedRows | None) -> str:
    if refused is None:
        return "Refused rows are not recorded yet."
    verb = "was" if refused.rows == 1 else "were"
    return f"{count_noun(refused.rows, 'source row')} {verb} refused.".capitalize()


def _performance_words(night: NightData) -> str:
    name = night.measures.first.name
    latest_with_value = latest_with(night.judged, name)
    if latest_with_value is None:
        return _not_judged(night)
    latest, value = latest_with_value
    share = latest.values.get("matured_share")
    outcomes = f"{percent(share)} of its outcomes known" if share is not None else "share of known outcomes not stated"
    state = "provisional" if latest.is_provisional else "final"
    return f"The latest judged date, {latest.day}, has an {measure(name)} of {figure(value)} ({state}, {outcomes})."


def _not_judged(night: NightData) -> str:
    """Why no date has the main measure; outcomes may be known all the same, such as those of one class."""
    if not any(judged.values.get("matured_share") for judged in night.judged):
        return "No date could be judged yet."
    name = measure(night.measures.first.name)
    return f"No judged date has an {name} yet: it takes {night.measures.takes}."


def _mean(scores: Scores) -> str:
    return "none of them a number" if scores.mean is None else f"mean {figure(scores.mean)}"


def _columns(columns: list[ColumnDrift]) -> str:
    return "column" if len(columns) == 1 else "columns"


def _list_names(columns: list[ColumnDrift]) -> str:
    if not columns:
        return ""
    names = ", ".join(column.subject for column in columns[:_NAMED])
    return f" ({names}{' and others' if len(columns) > _NAMED else ''})"
