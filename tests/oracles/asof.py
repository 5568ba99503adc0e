"""The point-in-time join as its definition reads: plain Python, one spine row at a time, every fact looked at.

It takes the same arguments as ``nightjar.asof.join`` and gives the same table, slowly. It does not check definitions.
"""

import math
from decimal import Context, Decimal, localcontext
from fractions import Fraction

import pyarrow as pa

from nightjar.asof import Latest
from nightjar.asof.validation import output_names
from nightjar.errors import JoinError
from oracles.timeline import micros_before

INSTANT = pa.timestamp("us", tz="UTC")


def join(spine, facts, *, prediction_time="prediction_time", known_by=None, since=None, zone="UTC"):
    result = spine
    times = micros(spine.column(prediction_time))
    bounds = times if known_by is None else micros(spine.column(known_by))
    begins = [None] * len(times) if since is None else micros(spine.column(since))
    for source in facts:
        facts_of_source = rows_of(source)
        answers = []
        for place in range(spine.num_rows):
            key = tuple(spine.column(name)[place].as_py() for name in source.key_columns)
            asks = since is None or begins[place] is not None
            usable = usable_facts(source, facts_of_source, key, times[place] if asks else None, bounds[place])
            query = (usable, times[place], begins[place], zone)
            answers.append([answer(source, feature, *query) for feature in source.features])
            answers[-1] += [usable[-1]["event"], usable[-1]["known"]] if usable else [None, None]
        for number, name in enumerate(output_names(source)):
            values = [row[number] for row in answers]
            result = result.append_column(name, pa.array(values, output_type(source, number)))
    return result


def micros(column):
    return column.cast(INSTANT).cast(pa.int64()).to_pylist()


def plain_rows(table):
    """Rows as dictionaries; instants as integers, because Python's end with the year 9999."""
    columns = [c.cast(pa.int64()) if pa.types.is_timestamp(c.type) else c for c in table.columns]
    return pa.table(columns, table.column_names).to_pylist()


def rows_of(source):
    events = micros(source.table.column(source.event_time))
    known_at = micros(source.table.column(source.known_at)) if source.known_at else events
    rows = []
    for place, row in enumerate(plain_rows(source.table)):
        fact = {
            "row": row,
            "event": events[place],
            "known": events[place] if known_at[place] is None else known_at[place],
        }
        fact["key"] = tuple(row[name] for name in source.key_columns.values())
        fact["id"] = tuple(row[name] for name in source.fact_id)
        fact["sequence"] = tuple((row[name] is not None, row[name] or 0) for name in source.sequence)
        fact["alive"] = source.deleted is None or row[source.deleted] is not True
        rows.append(fact)
    return rows


def usable_facts(source, facts, key, time, bound):
    """Usable facts of the key, the latest one last."""
    if time is None or bound is None or None in key:
        return []
    known = [fact for fact in facts if fact["known"] is not None and fact["known"] <= bound]
    if source.fact_id:
        known = [one for one in known if one["alive"] and not any(supersedes(other, one, known) for other in known)]
    usable = [f for f in known if f["key"] == key and f["event"] is not None and f["event"] <= time]
    return sorted(usable, key=rank)


def supersedes(other, one, known):
    if other["id"] != one["id"]:
        return False
    newness = [(fact["known"], fact["sequence"], fact["alive"]) for fact in (other, one)]
    if newness[0] == newness[1]:  # copies: the first in the table stands for all
        return [fact is one for fact in known].index(True) > [fact is other for fact in known].index(True)
    return newness[0] > newness[1]


def rank(fact):
    return fact["event"], fact["known"], fact["sequence"], fact["id"]


def answer(source, feature, usable, time, begins, zone):
    if isinstance(feature, Latest):
        return latest(feature, usable, time, zone)
    if begins is None and usable:
        begins = micros_before(time, feature.window, zone)
    facts = [fact for fact in usable if fact["event"] > begins and fact["row"][feature.column] is not None]
    values = [fact["row"][feature.column] for fact in facts]
    if feature.aggregate in ("first", "last"):
        return pick(facts, -1 if feature.aggregate == "last" else 0, feature.column)
    whole = pa.types.is_integer(source.table.schema.field(feature.column).type)
    return aggregate(feature.aggregate, values, whole=whole)


def latest(feature, usable, time, zone):
    if feature.skip_nulls:
        usable = [fact for fact in usable if fact["row"][feature.column] is not None]
    if not usable:
        return None
    if feature.lookback is not None and usable[-1]["event"] < micros_before(time, feature.lookback, zone):
        return None
    return pick(usable, -1, feature.column)


def pick(facts, place, column):
    if not facts:
        return None
    value = facts[place]["row"][column]
    for fact in facts:
        if rank(fact) == rank(facts[place]) and not same(fact["row"][column], value):
            raise JoinError("a tie")
    return value


def same(one, other):
    return one == other or (one != one and other != other)  # noqa: PLR0124 - NaN


def aggregate(name, values, *, whole):
    if name == "count":
        return len(values)
    if name == "distinct":
        return len({"NaN" if value != value else value for value in values})  # noqa: PLR0124 - NaN
    if len(values) < (2 if name == "std" else 1):
        return None
    if name in ("min", "max"):
        broken = any(value != value for value in values)  # noqa: PLR0124 - NaN
        return math.nan if broken else min(values) if name == "min" else max(values)
    if not all(math.isfinite(value) for value in values):
        return math.nan if name == "std" else sum(values)
    return moment(name, values, whole=whole)


def moment(name, values, *, whole):
    """Sum, mean, rate or standard deviation in fractions, rounded once."""
    total = sum(map(Fraction, values))
    if name == "sum":
        return int(total) if whole else float(total)
    mean = total / len(values)
    if name == "std":
        return square_root(sum((Fraction(value) - mean) ** 2 for value in values) / (len(values) - 1))
    return float(mean)


def square_root(value):
    """Decimals, because the square of a float may be no float."""
    with localcontext(Context(prec=40)):
        return float((Decimal(value.numerator) / value.denominator).sqrt())


def output_type(source, number):
    if number >= len(source.features):
        return INSTANT
    feature = source.features[number]
    kind = source.table.schema.field(feature.column).type
    if isinstance(feature, Latest) or feature.aggregate in ("min", "max", "first", "last"):
        return kind
    if feature.aggregate in ("count", "distinct"):
        return pa.int64()
    return pa.int64() if feature.aggregate == "sum" and pa.types.is_integer(kind) else pa.float64()
