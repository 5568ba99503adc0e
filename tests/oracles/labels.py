"""Versions of a label as their definition reads: one row at a time, asked anew at every instant there is.

A fact is a dictionary with `id`, `key`, `event`, `known` (instants as comparable numbers) and `value`; facts that share
an `id` are versions of one.
"""

from oracles.asof import aggregate


def versions(facts, key, at, *, horizon, lateness, now, name, holds, early, empty=0):
    """The (answer, instant known) pairs of the row of `key` at `at`, the first one first, as known at `now`.

    Args:
        name: the aggregate over the facts in (at, at + horizon]; of an outcome `last`.
        holds: value of the aggregate -> the answer.
        empty: what a sum or a count of nothing is; values that are null are nothing.
        early: (answer, the pairs before it) -> whether it is a label although the horizon has not passed.
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
        held.sort(key=lambda fact: (fact["event"], fact["known"], fact["id"]))
        values = [fact["value"] for fact in held if fact["value"] is not None]
        last = values[-1] if values else None
        value = last if name == "last" else aggregate(name, values, whole=False)
        answer = holds(empty if name in ("sum", "count") and not values else value)
        if instant < until and not early(answer, found):
            continue
        if not found or found[-1][0] != answer:
            found.append((answer, instant))
    return found


def exists(fact, facts, instant):
    """Whether it is the newest known version of what it states."""
    newer = [other for other in facts if other["id"] == fact["id"] and fact["known"] < other["known"] <= instant]
    return fact["known"] <= instant and not newer
