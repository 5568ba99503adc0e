"""The point-in-time join: for every spine row what was known at its prediction time, and nothing else."""

import itertools
from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa

from nightjar.asof.aggregates import AGGREGATES
from nightjar.asof.definitions import Clocks, Facts, Latest, Windowed
from nightjar.asof.history import History, Questions, ask, order
from nightjar.asof.keys import entities
from nightjar.asof.matching import Search
from nightjar.asof.reach import Reach
from nightjar.asof.series import Series, chosen, undecided
from nightjar.asof.validation import output_names, validate
from nightjar.asof.values import INSTANT, Column, Ints, column_of, joined, present, taken
from nightjar.asof.windows import Windows
from nightjar.durations import Duration, duration_of


def join(
    spine: pa.Table,
    facts: Sequence[Facts],
    *,
    prediction_time: str = "prediction_time",
    known_by: str | None = None,
    since: str | None = None,
    zone: str = "UTC",
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
        since: a spine column after whose instant windows begin, whatever their length. Only labels may use it: an
            instant moved by days forward and back again may be another one, where clocks have changed between.
        zone: whose calendar has the days of windows and lookbacks, such as ``"Europe/Paris"``: over a change of clocks
            ``1d`` is 23 or 25 hours there, ``24h`` is always 24.

    Returns:
        The spine's rows in the spine's order: its columns, then for each source its features as declared and the
        clocks ``<facts>__event_time`` and ``<facts>__known_at`` of its latest usable fact (microseconds, UTC), which
        ignore ``lookback`` and ``skip_nulls``. ``count`` and ``distinct`` are int64, ``mean``, ``std`` and ``rate``
        float64, ``sum`` int64 of integers and float64 of floats and decimals; the rest keeps the column's type. A
        NaN in a window makes ``sum``, ``mean``, ``std``, ``min`` and ``max`` NaN, and is one value for ``distinct``.

    Raises:
        JoinError: what is no ``pyarrow.Table``, a definition, column or type that does not fit, before any work; keys
            or clocks that cannot be held exactly; facts that tie completely where ``Latest``, ``first`` or ``last``
            would have to choose between different values; contradicting versions of one fact; a sum of integers
            beyond 64 bits.
    """
    clocks = Clocks(prediction_time, known_by, since, zone)
    validate(spine, facts, clocks.columns(), zone)
    result = spine
    for source in facts:
        for name, column in zip(output_names(source), _answers(spine, source, clocks), strict=True):
            result = result.append_column(name, column)
    return result


def _answers(spine: pa.Table, source: Facts, clocks: Clocks) -> list[Column]:
    """The columns of one source in the spine's order: its features, then the matched clocks."""
    asked, held = entities(spine, source)
    history = order(source, held, asked)
    questions = ask(history, spine, asked, clocks)
    latest = Search(history).latest(questions)
    found = latest[questions.of_row]
    reach = Reach(questions.at, questions.since, clocks.zone)
    features: dict[int, Column] = dict(_windowed(source, history, questions, latest, reach))
    for number, feature in enumerate(source.features):
        if isinstance(feature, Latest):
            features[number] = _latest(source, feature, history, questions, found, reach)
    columns = [features[number] for number in range(len(source.features))]
    return [*columns, _clock(history.event, found), _clock(history.known, found)]


def _latest(
    source: Facts, feature: Latest, history: History, questions: Questions, found: Ints, reach: Reach
) -> Column:
    """The column's values, given the position of each spine row's latest usable fact."""
    column = column_of(source.table, feature.column)
    offered = np.ones(len(history.rows), np.bool_)
    if feature.skip_nulls and column.null_count:
        offered = present(column)[history.rows]
        found = Search(history, offered).latest(questions)[questions.of_row]
    if feature.lookback is not None:
        oldest = reach.oldest(duration_of(feature.lookback))[questions.of_row]
        recent = found >= 0
        recent[recent] = history.event[found[recent]] >= oldest[recent]
        found = np.where(recent, found, -1)
    unclear = undecided(column, history, offered)
    return chosen(column, history, found, unclear, _where(source, feature))


def _windowed(
    source: Facts, history: History, questions: Questions, latest: Ints, reach: Reach
) -> Iterator[tuple[int, Column]]:
    """Number and column, in the order of the spine, of every windowed feature."""
    lengths: dict[Duration, list[tuple[int, Windowed]]] = {}
    for number, feature in enumerate(source.features):
        if isinstance(feature, Windowed):
            lengths.setdefault(duration_of(feature.window), []).append((number, feature))
    if not lengths:
        return
    windows = Windows(history, questions, latest)
    series: dict[str, Series] = {}
    for _, feature in itertools.chain(*lengths.values()):
        if feature.column not in series:
            column = column_of(source.table, feature.column)
            series[feature.column] = Series(column, history, windows.order, _where(source, feature))
    for window, features in lengths.items():
        asked: list[Ints] = []
        pieces: dict[int, list[Column]] = {number: [] for number, _ in features}
        for span in windows.spans(reach.first(window)):
            asked.append(span.questions)
            held = {name: series[name].within(span.runs) for name in dict.fromkeys(f.column for _, f in features)}
            for number, feature in features:
                pieces[number].append(AGGREGATES[feature.aggregate](held[feature.column]))
        back = _back_to_rows(questions, asked)
        for number, found in pieces.items():
            column = joined(found, found[0].type)
            yield number, column if back is None else taken(column, back)


def _back_to_rows(questions: Questions, asked: list[Ints]) -> Ints | None:
    """For each spine row the place of its question among those asked, None where these are the rows in their order."""
    back = questions.of_row
    if len(asked) > 1:
        place = np.empty_like(back)
        place[np.concatenate(asked)] = np.arange(len(place))
        back = place[back]
    return None if np.all(back[1:] > back[:-1]) else back


def _clock(moments: Ints, positions: Ints) -> Column:
    clock: Column = pa.array(moments, pa.int64())
    return taken(clock, positions).cast(INSTANT)


def _where(source: Facts, feature: Latest | Windowed) -> str:
    return f"facts {source.name!r}, column {feature.column!r}"
