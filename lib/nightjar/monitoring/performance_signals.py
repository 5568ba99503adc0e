"""What the figures of predictions say: which have changed, what is expected of tonight, whether labels come in."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np

from nightjar.evaluation.change_detection import FEWEST, Detection
from nightjar.evaluation.followed import ALL
from nightjar.masking.values import masking_of
from nightjar.monitoring.fairness_signals import limit_signals
from nightjar.monitoring.history import ESTIMATE, History, Row
from nightjar.monitoring.judged_rows import ROLE
from nightjar.monitoring.label_signals import label_signal
from nightjar.monitoring.night_rows import Judging
from nightjar.monitoring.promises import Promise
from nightjar.monitoring.signals import Kind, Signal, State
from nightjar.monitoring.streams import Stream, detections, streams_of, worse_of
from nightjar.settings.task import METRICS, Metric

QUIET = "all figures"
"""Subject of the signal for all figures of a kind in which nothing has changed."""
FAR = 2.0
"""A statistic of so many times its limit is to be acted on."""
_SHOWN = 60
_WHAT = {
    Kind.PERFORMANCE: "metrics",
    Kind.PRIOR: "shares of outcomes beside the scores",
    Kind.CONCEPT: "figures of outcomes beside what the scores make expected",
    Kind.FAIRNESS: "figures of groups beside all other rows",
}


def signals_of(rows: Sequence[Row], judging: Judging, history: History) -> list[Signal]:
    """The signals of the figures that a run date adds, together with those of earlier ones.

    Nothing is said where no night has been scored.
    """
    if not rows:
        return []
    version = max(rows, key=lambda row: (row["evaluated_date"], row["subject"] == ROLE))["model_version"]
    promise = judging.promises.get(version, Promise())
    figures = history.figures(version, rows)
    streams = streams_of(figures, promise.rehearsal, judging.project.label.task)
    signals = [
        label_signal(rows, judging, history),
        *_estimate_signal(rows, judging, promise),
        *_stream_signals(streams, judging, promise),
        *limit_signals(figures, judging.project),
    ]
    return _masked(signals, judging)


def _stream_signals(streams: Sequence[Stream], judging: Judging, promise: Promise) -> Iterator[Signal]:
    detector = judging.project.monitoring.performance.detector
    judged = list(zip(streams, detections(streams, detector), strict=True))
    for kind, what in _WHAT.items():
        own = [(stream, one) for stream, one in judged if stream.kind is kind]
        for stream, one in own:
            if one.alarm:
                yield _changed(stream, one, judging, promise)
        if own and all(one.alarm is None for _, one in own):
            nights = max(int(np.isfinite(stream.values).sum()) for stream, _ in own)
            sentence = f"Whether {what} have changed cannot be said: {nights} nights are followed, {FEWEST} are needed"
            yield Signal(kind, QUIET, State.UNKNOWN, f"{sentence} to hold others to.")
        elif quiet := [stream for stream, one in own if one.alarm is False]:
            nights = max(sum(night >= stream.judged_from for night in stream.nights) for stream in quiet)
            sentence = f"No change of {what} over {nights} judged nights; {len(quiet)} are followed."
            yield Signal(kind, QUIET, State.OK, sentence, evidence={"figures": [one.subject for one in quiet]})


def _changed(stream: Stream, one: Detection, judging: Judging, promise: Promise) -> Signal:
    since = one.since or stream.judged_from
    value, project = stream.since(since), judging.project
    is_far = one.limit is not None and one.statistic is not None and one.statistic > FAR * one.limit
    beaten = _is_beaten(stream, value, promise)
    state = State.ACT if beaten or (is_far and beaten is None) else State.WATCH
    command = f"python jobs/train.py project={project.name} run_date={judging.run_date}" if state is State.ACT else None
    evidence: dict[str, Any] = {
        "slice": stream.of,
        "measure": stream.measure,
        "value": value,
        "statistic": one.statistic,
        "limit": one.limit,
        "night_deviation": one.night_deviation,
        "path": [round(point, 3) for point in one.path[-_SHOWN:]],
        **promise.beside(stream.of, stream.measure),
    }
    return Signal(
        stream.kind, stream.subject, state, _sentence(stream, value, since, promise), command, since, evidence
    )


def _is_beaten(stream: Stream, value: float | None, promise: Promise) -> bool | None:
    """Whether a metric is no better than that of the best baseline at training; None: there is nothing to say it by."""
    beside = promise.beside(stream.of, stream.measure)["baseline"]
    if beside is None or value is None:
        return None
    return value <= beside if worse_of(stream.measure) == "lower" else value >= beside


def _sentence(stream: Stream, value: float | None, since: date, promise: Promise) -> str:
    shown = "undefined" if value is None else f"{value:.4g}"
    if stream.kind is Kind.PERFORMANCE:
        return f"{stream.measure} is {shown} since {since}{_beside(stream.measure, promise)}."
    if stream.kind is Kind.PRIOR:
        way = "more" if (value or 0) > 0 else "less"
        return f"Outcomes are {way} than the scores say: {stream.measure} is {shown} since {since}."
    where = "" if stream.of == ALL else f" in {stream.of}"
    if stream.kind is Kind.CONCEPT:
        return f"Rows that look the same have other outcomes{where}: {stream.measure} is {shown} since {since}."
    return f"{stream.of} fares otherwise than before, beside all other rows: {stream.measure} is {shown} since {since}."


def _beside(measure: str, promise: Promise) -> str:
    own, baseline = promise.own.get(measure), promise.beside(ALL, measure)["baseline"]
    parts = []
    if own and own["estimate"] is not None:
        bounds = "" if own["low"] is None else f" ({own['low']:.4g} to {own['high']:.4g})"
        parts.append(f"training promised {own['estimate']:.4g}{bounds}")
    if baseline is not None:
        parts.append(f"its baseline {promise.baseline_name} had {baseline:.4g}")
    return "".join(f", {part}" for part in parts)


def _estimate_signal(rows: Sequence[Row], judging: Judging, promise: Promise) -> Iterator[Signal]:
    """What is expected of tonight, where it is scored."""
    names = [metric.value for metric in METRICS[judging.project.label.task]]
    tonight = {row["measure"]: row for row in rows if _is_of_tonight(row, judging.run_date)}
    own = {name: tonight[name] for name in names if name in tonight}
    if not own:
        return
    bounded = {name: row for name, row in own.items() if row["low"] is not None}
    main = next(iter(bounded or own))
    worse = [name for name, row in bounded.items() if _is_worse(name, row, promise)]
    evidence = {
        name: {key: row[key] for key in ("value", "low", "high", "interval_coverage")} for name, row in own.items()
    }
    if not bounded:
        sentence = f"How good tonight's scores are is {own[main]['reason']}."
        yield Signal(Kind.PERFORMANCE, "estimates", State.UNKNOWN, sentence, evidence=evidence)
        return
    row = own[worse[0] if worse else main]
    interval = f"{row['value']:.4g} ({row['low']:.4g} to {row['high']:.4g})"
    sentence = f"{row['measure']} of tonight is estimated at {interval}{_beside(row['measure'], promise)}."
    yield Signal(Kind.PERFORMANCE, "estimates", State.WATCH if worse else State.OK, sentence, evidence=evidence)


def _is_of_tonight(row: Row, run_date: date) -> bool:
    return bool(row["subject"] == ESTIMATE and row["evaluated_date"] == run_date and row["slice"] == ALL)


def _is_worse(name: str, row: Row, promise: Promise) -> bool:
    """Whether all that is to be expected is worse than all that the training has promised."""
    own = promise.own.get(name)
    if not own or own["low"] is None or own["high"] is None:
        return False
    return bool(row["high"] < own["low"] if Metric(name).greater_is_better else row["low"] > own["high"])


def _masked(signals: Sequence[Signal], judging: Judging) -> list[Signal]:
    """Without values of sensitive columns; subjects that are alike then are numbered."""
    masking, seen = masking_of(judging.project), dict[tuple[Kind, str], int]()
    result = []
    for one in signals:
        subject = masking.text(one.subject)
        number = seen[one.kind, subject] = seen.get((one.kind, subject), 0) + 1
        subject = subject if number == 1 else f"{subject} ({number})"
        evidence = _masked_evidence(one.evidence, masking.text)
        result.append(replace(one, subject=subject, sentence=masking.text(one.sentence), evidence=evidence))
    return result


def _masked_evidence(evidence: Mapping[str, Any], text: Any) -> dict[str, Any]:
    """Texts, and lists of texts, without them."""
    masked: dict[str, Any] = {}
    for name, value in evidence.items():
        if isinstance(value, str):
            masked[name] = text(value)
        elif isinstance(value, list) and value and isinstance(value[0], str):
            masked[name] = [text(one) for one in value]
        else:
            masked[name] = value
    return masked
