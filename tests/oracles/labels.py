"""Versions of a label as their definition reads: one row at a time, asked anew at every instant there is.

A fact is a dictionary with `id`, `key`, `event`, `known` (instants as comparable numbers) and `value`; facts that share
an `id` are versions of one.
"""

from oracles.asof import aggregate


def versions(facts, key, at, *, horizon, lateness, now, name, holds, early):
    """The (answer, instant known) pairs of the row of `key` at `at`, the first one first, as known at `now`.

    Args:
        name: the aggregate over the facts in (at, at + horizon].
        holds: value of the aggregate -> the answer: true, false or None.
        early: whether the answer is known as soon as it is true.
    """
    until = at + horizon
    instants = sorted({until, *(max(fact["known"], at) for fact in facts)})
    found = []
    for instant in instants:
        if instant > min(now, until + lateness):
            break
        held = [
            fact
            for fact in facts
            if fact["key"] == key and at < fact["event"] <= until and exists(fact, facts, instant)
        ]
        values = [fact["value"] for fact in held if fact["value"] is not None]
        answer = holds(aggregate(name, values, whole=False))
        if instant < until and not (early and answer is True):
            continue
        if not found or found[-1][0] != answer:
            found.append((answer, instant))
    return found


def exists(fact, facts, instant):
    """Whether it is the newest known version of what it states."""
    newer = [other for other in facts if other["id"] == fact["id"] and fact["known"] < other["known"] <= instant]
    return fact["known"] <= instant and not newer
