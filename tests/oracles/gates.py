"""Gates over plain rows, one by one: which rows fail, and what a night measures."""

import math
import re
from itertools import pairwise
from statistics import fmean, variance

from nightjar.settings.gates import GateCheck


def no_value(value):
    return value is None or (isinstance(value, float) and not math.isfinite(value))


def failing(gate, rows, stored=(), others=(), condition=None, band=None):
    """The places of the rows that fail; `stored` and `others` are rows, `condition` what the expression says of one."""
    return [place for place, row in enumerate(rows) if _fails(gate, row, place, rows, stored, others, condition, band)]


def _fails(gate, row, place, rows, stored, others, condition, band):
    if gate.check in (GateCheck.NOT_NULL, GateCheck.NULL_SHARE):
        return no_value(row[gate.column])
    if gate.check is GateCheck.EXPRESSION:
        return condition(row) is False
    if gate.columns:
        return _fails_beside(gate, row, place, rows, stored, others)
    value = row[gate.column]
    return value is not None and _is_wrong(gate, value, band)


def _fails_beside(gate, row, place, rows, stored, others):
    values = [row[name] for name in gate.columns]
    if gate.check is GateCheck.UNIQUE:
        beside = [one for k, one in enumerate([*rows, *stored]) if k != place]
        twins = [one for one in beside if [one[name] for name in gate.columns] == values]
        return None not in values and any(one["id"] != row["id"] for one in twins)
    return None not in values and values not in [[one[name] for name in gate.fields] for one in others]


def _is_wrong(gate, value, band):
    if gate.check is GateCheck.ACCEPTED_VALUES:
        return value not in gate.values
    if gate.check is GateCheck.MATCHES:
        return re.search(gate.pattern, value) is None
    if gate.check is GateCheck.OUTLIERS:
        return not math.isnan(value) and not band.lowest <= value <= band.highest
    low = -math.inf if gate.minimum is None else gate.minimum
    high = math.inf if gate.maximum is None else gate.maximum
    return not math.isfinite(value) or not low <= value <= high


def mean_and_variance(rows, column):
    values = [float(row[column]) for row in rows if not no_value(row[column])]
    return (fmean(values) if values else None, variance(values) if len(values) > 1 else 0.0)


def longest_gap(moments):
    """The longest time between two moments in turn."""
    ordered = sorted(moments)
    return max((after - before for before, after in pairwise(ordered)), default=None)
