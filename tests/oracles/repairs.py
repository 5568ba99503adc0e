"""Repairs of one text, step by step: the value that is read, and the names of the repairs that changed it."""

import math
import re
from datetime import UTC
from zoneinfo import ZoneInfo

from nightjar.settings.sources import ColumnType
from nightjar.settings.texts import parse


def read(text, column, missing=("", "NA")):
    """The value of a text of CSV, or None; and what has changed it."""
    if text is None or text in missing:
        return None, []
    if column.type is ColumnType.STRING:
        return _of_string(text, column.repair, missing)
    bare = text.strip(" \t")
    values = {one: value for value, texts in column.repair.synonyms.items() for one in texts}
    if bare in values:
        value, made = parse(values[bare], column.type), ["synonyms"]
    else:
        value, made = _of_form(bare, column)
    return (value, made) if value is None else _winsorised(value, made, column.repair.winsorise)


def _of_string(text, repair, missing):
    raw, made = text, []

    def step(name, after):
        nonlocal text
        made.extend([name] if after != text else [])
        text = after

    if repair.trim:
        step("trim", text.strip())
        if text in missing:
            return None, made
    if repair.case:
        step("case", text.upper() if repair.case.word == "upper" else text.lower())
    for value, texts in repair.synonyms.items():
        if text in {repair.cased(one) for one in (value, *texts)}:
            step("synonyms", value)
            break
    return text, made if text != raw else []


def _of_form(bare, column):
    numbers, zone = column.repair.numbers, column.repair.zone
    if numbers:
        groups = rf"[0-9]{{1,3}}(?:{re.escape(numbers.thousands)}[0-9]{{3}})+|" if numbers.thousands else ""
        whole, point = rf"(?:{groups}[0-9]+)", re.escape(numbers.decimal)
        number = rf"[+-]?(?:{whole}(?:{point}[0-9]*)?|{point}[0-9]+)(?:[eE][+-]?[0-9]+)?|[+-]?[a-zA-Z]+"
        if not re.fullmatch(number, bare):
            return None, []
        plain = bare.replace(numbers.thousands or "", "").replace(numbers.decimal, ".")
        value = _parsed(plain, column.type)
        return value, ["numbers"] if value is not None and plain != bare else []
    value = _parsed(bare, column.type)
    if zone and value is not None and re.search(r"(Z|UTC|:[0-9]{2}[.0-9]* ?[+-][0-9:]+)$", bare) is None:
        shown = instant_of(value.replace(tzinfo=None), zone)
        return shown, ["zone"] if shown not in (None, value) else []
    return value, []


def _parsed(text, kind):
    try:
        return parse(text, kind)
    except (ValueError, OverflowError):
        return None


def instant_of(local, zone):
    """The last instant at which clocks of a zone show a time; None: they never do."""
    there = [local.replace(tzinfo=ZoneInfo(zone), fold=fold) for fold in (0, 1)]
    instants = [one.astimezone(UTC) for one in there]
    shown = [one for one in instants if one.astimezone(ZoneInfo(zone)).replace(tzinfo=None, fold=0) == local]
    return max(shown, default=None)


def _winsorised(value, made, bounds):
    if bounds is None:
        return value, made
    if not math.isfinite(value):
        return None, made
    low = -math.inf if bounds.minimum is None else bounds.minimum
    high = math.inf if bounds.maximum is None else bounds.maximum
    moved = type(value)(min(max(value, low), high))
    return moved, [*made, "winsorise"] if moved != value else made
