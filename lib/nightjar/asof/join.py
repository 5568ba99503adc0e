"""The point-in-time join: for every spine row what was known at its prediction time, and nothing else."""

import itertools
from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa

from nightjar.asof.aggregates import AGGREGATES
from nightjar.asof.definitions import Clocks, Facts, Latest, Windowed
from nightjar.asof.history import History, Queries, order, queries_of
from nightjar.asof.keys import entities
from nightjar.asof.matching import LatestFinder
from nightjar.asof.reach import Reach
from nightjar.asof.series import Series, ambiguous_ties, values_at
from nightjar.asof.validation import output_names, validate
from nightjar.asof.values import INSTANT, ArrowArray, Ints, column_of, concat, present, take
from nightjar.asof.versions import SharedValidity
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

    Example:
        A machine was measured on Monday and on Tuesday; the second value came in a day late.

        >>> from datetime import UTC, datetime
        >>> from nightjar.asof import Facts, Latest, Windowed, join
        >>> monday, tuesday, wednesday, thursday = (datetime(2024, 4, day, 6, tzinfo=UTC) for day in (1, 2, 3, 4))
        >>> measured = pa.table(
        ...     {
        ...         "machine": ["m1", "m1"],
        ...         "at": [monday, tuesday],
        ...         "seen": [monday, wednesday],
        ...         "heat": [20.0, 30.0],
        ...     }
        ... )
        >>> features = [Latest("heat"), Windowed("heat", "mean", "7d"), Latest("heat", lookback="1d", name="fresh")]
        >>> readings = Facts(
        ...     "readings", measured, keys=["machine"], event_time="at", known_at="seen", features=features
        ... )
        >>> spine = pa.table({"machine": ["m1", "m1", "m2"], "prediction_time": [tuesday, thursday, thursday]})
        >>> known = join(spine, [readings], zone="Europe/Paris")
        >>> for name in ("readings__heat", "readings__heat_mean_7d", "readings__fresh"):
        ...     print(name, known[name].to_pylist())
        readings__heat [20.0, 30.0, None]
        readings__heat_mean_7d [20.0, 25.0, None]
        readings__fresh [20.0, None, None]
    """
    clocks = Clocks(prediction_time, known_by, since, zone)
    validate(spine, facts, clocks.columns(), zone)
    result, shared = spine, SharedValidity()
    for source in facts:
        for name, column in zip(output_names(source), _answers(spine, source, clocks, shared), strict=True):
            result = result.append_column(name, column)
    return result


def _answers(spine: pa.Table, source: Facts, clocks: Clocks, shared: SharedValidity) -> list[ArrowArray]:
    """The columns of one source in the spine's order: its features, then the matched clocks."""
    spine_entities, fact_entities = entities(spine, source)
    history = order(source, fact_entities, spine_entities, shared)
    queries = queries_of(history, spine, spine_entities, clocks)
    latest_of_query = LatestFinder(history).latest(queries)
    positions = latest_of_query[queries.of_row]
    reach = Reach(queries.at, queries.since, clocks.zone)
    features: dict[int, ArrowArray] = dict(_window_columns(source, history, queries, latest_of_query, reach))
    for number, feature in enumerate(source.features):
        if isinstance(feature, Latest):
            features[number] = _latest(source, feature, history, queries, positions, reach)
    columns = [features[number] for number in range(len(source.features))]
    return [*columns, _clock(history.event, positions), _clock(history.known_at, positions)]


def _latest(
    source: Facts, feature: Latest, history: History, queries: Queries, positions: Ints, reach: Reach
) -> ArrowArray:
    """The column's values, given the position of each spine row's latest usable fact."""
    column = column_of(source.table, feature.column)
    eligible = np.ones(len(history.rows), np.bool_)
    if feature.skip_nulls and column.null_count:
        eligible = present(column)[history.rows]
        positions = LatestFinder(history, eligible).latest(queries)[queries.of_row]
    if feature.lookback is not None:
        oldest = reach.oldest(duration_of(feature.lookback))[queries.of_row]
        recent = positions >= 0
        recent[recent] = history.event[positions[recent]] >= oldest[recent]
        positions = np.where(recent, positions, -1)
    is_ambiguous = ambiguous_ties(column, history, eligible)
    return values_at(column, history, positions, is_ambiguous, _where(source, feature))


def _window_columns(
    source: Facts, history: History, queries: Queries, latest: Ints, reach: Reach
) -> Iterator[tuple[int, ArrowArray]]:
    """Each windowed feature's number and its column in the order of the spine."""
    lengths: dict[Duration, list[tuple[int, Windowed]]] = {}
    for number, feature in enumerate(source.features):
        if isinstance(feature, Windowed):
            lengths.setdefault(duration_of(feature.window), []).append((number, feature))
    if not lengths:
        return
    windows = Windows(history, queries, latest)
    series: dict[str, Series] = {}
    for _, feature in itertools.chain(*lengths.values()):
        if feature.column not in series:
            column = column_of(source.table, feature.column)
            series[feature.column] = Series(column, history, windows.order, _where(source, feature))
    for window, features in lengths.items():
        span_queries: list[Ints] = []
        pieces: dict[int, list[ArrowArray]] = {number: [] for number, _ in features}
        for span in windows.spans(reach.first(window)):
            span_queries.append(span.queries)
            windowed = {name: series[name].within(span.runs) for name in dict.fromkeys(f.column for _, f in features)}
            for number, feature in features:
                pieces[number].append(AGGREGATES[feature.aggregate](windowed[feature.column]))
        result_of_row = _result_of_row(queries, span_queries)
        for number, columns in pieces.items():
            column = concat(columns, columns[0].type)
            yield number, column if result_of_row is None else take(column, result_of_row)


def _result_of_row(queries: Queries, span_queries: list[Ints]) -> Ints | None:
    """For each spine row the index of its result, None where the results are in row order."""
    result_of_row = queries.of_row
    if len(span_queries) > 1:
        place = np.empty_like(result_of_row)
        place[np.concatenate(span_queries)] = np.arange(len(place))
        result_of_row = place[result_of_row]
    return None if np.all(result_of_row[1:] > result_of_row[:-1]) else result_of_row


def _clock(moments: Ints, positions: Ints) -> ArrowArray:
    clock: ArrowArray = pa.array(moments, pa.int64())
    return take(clock, positions).cast(INSTANT)


def _where(source: Facts, feature: Latest | Windowed) -> str:
    return f"facts {source.name!r}, column {feature.column!r}"
