"""Majorities of annotators as their definition reads: one row at a time, asked anew at every instant there is.

An answer is a dictionary with `id`, `key`, `who`, `event`, `known` (instants as comparable numbers) and `value`;
answers that share an `id` are versions of one.
"""

from oracles.agreement import most
from oracles.labels import exists


def versions(answers, key, at, *, horizon, lateness, now, least):
    """The (label, instant known) pairs of the row of `key` at `at`, the first one first, as known at `now`."""
    until = at + horizon
    instants = sorted({until, *(max(answer["known"], at) for answer in answers)})
    found = []
    for instant in instants:
        if instant > min(now, until + lateness):
            break
        last = {}
        for answer in sorted(answers, key=lambda one: (one["event"], one["known"], one["id"])):
            is_within = answer["key"] == key and at < answer["event"] <= until
            if is_within and answer["value"] is not None and exists(answer, answers, instant):
                last[answer["who"]] = answer["value"]
        label = most(list(last.values())) if len(last) >= least else None
        is_first_word = not found and (label is not None or instant >= until)
        if is_first_word or (found and found[-1][0] != label):
            found.append((label, instant))
    return found
