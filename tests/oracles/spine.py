"""Spines as their definitions read: plain Python, every fact looked at for every night.

A fact is a dictionary with `id`, `key`, `event`, `known` (aware instants) and `value`; facts that share an `id` are
versions of one. A row is a dictionary with the key's columns, `prediction_time` and `run_date`.
"""

import hashlib
import json
from collections import defaultdict
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from oracles.timeline import before


def active(facts, cutoffs, within, zone):
    """(key, cutoff, value of the latest fact) of every key with a fact within the reach before each cutoff."""
    rows = []
    for cutoff in cutoffs:
        known = [fact for fact in facts if fact["known"] <= cutoff]
        newest = {fact["id"]: fact for fact in sorted(known, key=lambda fact: fact["known"])}.values()
        begin = before(cutoff, within, zone)
        recent = [fact for fact in newest if begin < fact["event"] <= cutoff and fact["key"] is not None]
        for key in {fact["key"] for fact in recent}:
            own = [fact for fact in recent if fact["key"] == key]
            latest = max(own, key=lambda fact: (fact["event"], fact["known"], fact["id"]))
            rows.append((key, cutoff, latest["value"]))
    return sorted(rows, key=repr)


def due(days, weekdays):
    """The days whose name in English is among the weekdays; all, where there are none."""
    names = {day.name for day in weekdays or []}
    return [day for day in days if not names or f"{day:%A}".upper() in names]


def sampled(rows, key, sample):
    """The kept rows and their weights."""
    if sample.until is not None:
        whole = [row for row in rows if str(row["run_date"]) > sample.until]
        thinned = [row for row in rows if str(row["run_date"]) <= sample.until]
        return sampled(thinned, key, replace(sample, until=None)) + [(row, 1.0) for row in whole]
    if sample.maximum is None:
        kept = [(row, share(row, sample)) for row in rows if chance(row, key, sample) < share(row, sample)]
        return [(row, 1 / part) for row, part in kept]
    groups = defaultdict(list)
    for row in rows:
        own = {"entity": key, "day": [], "stratum": [sample.column]}[sample.by.value]
        groups[row["run_date"], *(row[name] for name in own)].append(row)
    kept = []
    for group in groups.values():
        chosen = sorted(group, key=lambda row: unit(row, [*key, "prediction_time"]))[: sample.maximum]
        kept += [(row, len(group) / len(chosen)) for row in chosen]
    return kept


def share(row, sample):
    return sample.fractions.get(str(row[sample.column]), sample.fraction) if sample.column else sample.fraction


def chance(row, key, sample):
    return unit(row, key if sample.by.value == "entity" else [*key, "prediction_time"])


def unit(row, names):
    values = {name: micros(row[name]) if isinstance(row[name], datetime) else row[name] for name in names}
    text = json.dumps(values, separators=(",", ":"))
    return int(hashlib.sha256(text.encode()).hexdigest()[:13], 16) / 2**52


def micros(instant):
    return (instant - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
