"""The point-in-time join: for every spine row what was known at its prediction time, and nothing else."""

from collections.abc import Callable, Sequence

import numpy as np
import pyarrow as pa

from nightjar.asof.aggregates import AGGREGATES, Series, chosen, undecided
from nightjar.asof.definitions import Facts, Latest, Windowed, length
from nightjar.asof.history import History, Questions, ask, order
from nightjar.asof.keys import entities
from nightjar.asof.matching import Search
from nightjar.asof.validation import output_names, validate
from nightjar.asof.values import INSTANT, Column, Ints, column_of, earlier, joined, microseconds, present, taken
from nightjar.asof.windows import Span, spans


def join(
    spine: pa.Table,
    facts: Sequence[Facts],
    *,
    prediction_time: str = "prediction_time",
    known_by: str | None = None,
) -> pa.Table:
    """Give every spine row the features of its entity as of its prediction time ``t``.

    A fact is usable iff ``event_time <= t`` and ``known_at <= t``, both inclusive. Versions of one ``fact_id`` are
    resolved over the whole table before keys or times select anything. The result depends on neither the order of
    the facts nor on what other spine rows ask.

    Args:
        spine: the rows to predict for, keys and prediction time among their columns; rows may repeat. A row with a
            null key or a null prediction time matches nothing.
        facts: the sources, each with its own keys, clocks and features.
        prediction_time: the spine's column of ``t``, a timestamp with a time zone.
        known_by: a spine column that replaces ``t`` as the bound on ``known_at``. Only labels may use it: they look
            at ``(t, t + horizon]`` as known at a later date.

    Returns:
        The spine's rows in the spine's order: its columns, then for each source its features as declared and the
        clocks ``<facts>__event_time`` and ``<facts>__known_at`` of its latest usable fact (microseconds, UTC), which
        ignore ``lookback`` and ``skip_nulls``. ``count`` and ``distinct`` are int64, ``mean``, ``std`` and ``rate``
        float64, ``sum`` int64 of integers and float64 of floats and decimals; the rest keeps the column's type. A
        NaN in a window makes ``sum``, ``mean``, ``std``, ``min`` and ``max`` NaN, and is one value for ``distinct``.

    Raises:
        JoinError: a definition, column or type that does not fit, before any work; keys or clocks that cannot be
            held exactly; facts that tie completely where ``Latest``, ``first`` or ``last`` would have to choose
            between different values; contradicting versions of one fact; a sum of integers beyond 64 bits.
    """
    validate(spine, facts, prediction_time, known_by)
    result = spine
    for source in facts:
        for name, column in zip(output_names(source), _answers(spine, source, prediction_time, known_by), strict=True):
            result = result.append_column(name, column)
    return result


def _answers(spine: pa.Table, source: Facts, prediction_time: str, known_by: str | None) -> list[Column]:
    """The columns of one source in the spine's order: its features, then the matched clocks."""
    asked, held = entities(spine, source)
    questions = ask(spine, asked, prediction_time, known_by)
    history = order(source, held, asked)
    latest = Search(history).latest(questions)
    features: dict[int, Column] = dict(_windowed(source, history, questions, latest))
    for number, feature in enumerate(source.features):
        if isinstance(feature, Latest):
            features[number] = _latest(source, feature, history, questions, latest)
    columns = [features[number] for number in range(len(source.features))]
    columns += [_clock(history.event, latest), _clock(history.known, latest)]
    back = questions.answers_in_spine_order()
    return [taken(column, back) for column in columns]


def _latest(source: Facts, feature: Latest, history: History, questions: Questions, latest: Ints) -> Column:
    column = taken(column_of(source.table, feature.column), history.rows)
    offered = present(column) if feature.skip_nulls else np.ones(len(column), np.bool_)
    if not offered.all():
        latest = Search(history, offered).latest(questions)
    if feature.lookback is not None:
        oldest = earlier(questions.at, microseconds(length(feature.lookback)))
        recent = latest >= 0
        recent[recent] = history.event[latest[recent]] >= oldest[recent]
        latest = np.where(recent, latest, -1)
    offers = np.flatnonzero(offered)
    unclear = np.zeros(len(column), np.bool_)
    unclear[offers] = undecided(taken(column, offers), history.ties[offers])
    return chosen(column, latest, unclear, _where(source, feature))


def _windowed(source: Facts, history: History, questions: Questions, latest: Ints) -> list[tuple[int, Column]]:
    """Number and column, in the order of the questions, of every windowed feature."""
    windows: dict[int, list[tuple[int, Windowed]]] = {}
    for number, feature in enumerate(source.features):
        if isinstance(feature, Windowed):
            windows.setdefault(microseconds(length(feature.window)), []).append((number, feature))
    series_of = _series(source, history)
    result = []
    for window, features in windows.items():
        asked: list[Ints] = []
        pieces: dict[int, list[Column]] = {number: [] for number, _ in features}
        for span in spans(history, questions, latest, window):
            asked.append(span.questions)
            series_in_span = series_of if span.positions is None else _series(source, history, span.positions)
            for number, feature in features:
                pieces[number].append(_aggregate(series_in_span, feature, span))
        back = np.argsort(np.concatenate(asked), kind="stable")
        result += [(number, taken(joined(found, found[0].type), back)) for number, found in pieces.items()]
    return result


def _aggregate(series_of: Callable[[Windowed], Series], feature: Windowed, span: Span) -> Column:
    series = series_of(feature)
    return AGGREGATES[feature.aggregate](series, *series.narrowed(span.starts, span.ends))


def _series(source: Facts, history: History, positions: Ints | None = None) -> Callable[[Windowed], Series]:
    """The column of a feature as a series of facts at some positions; made once for each column."""
    rows = history.rows if positions is None else history.rows[positions]
    ties = history.ties if positions is None else history.ties[positions]
    made: dict[str, Series] = {}

    def series_of(feature: Windowed) -> Series:
        if feature.column not in made:
            column = taken(column_of(source.table, feature.column), rows)
            made[feature.column] = Series(column, ties, _where(source, feature))
        return made[feature.column]

    return series_of


def _clock(moments: Ints, positions: Ints) -> Column:
    clock: Column = pa.array(moments, pa.int64())
    return taken(clock, positions).cast(INSTANT)


def _where(source: Facts, feature: Latest | Windowed) -> str:
    return f"facts {source.name!r}, column {feature.column!r}"
