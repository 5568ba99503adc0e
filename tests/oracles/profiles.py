"""A column of texts looked at value by value, with Python's own types."""

import math
import re
from datetime import date


def number(text):
    """As DOUBLE reads it; None where it is none."""
    plain = r"[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]+)?"
    if re.fullmatch(plain, text.strip(" \t")):
        return float(text) if math.isfinite(float(text)) else None
    return float(text) if re.fullmatch(r"[+-]?(inf|infinity)|nan", text.strip(" \t"), re.IGNORECASE) else None


def whole(text):
    value = int(text) if re.fullmatch(r"[ \t]*[+-]?[0-9]+[ \t]*", text) else None
    return value if value is not None and -(2**63) <= value < 2**63 else None


def day(text):
    try:
        return date.fromisoformat(text.strip(" \t")) if re.fullmatch(r"[ \t]*\d{4}-\d\d-\d\d[ \t]*", text) else None
    except ValueError:
        return None


def looked_at(texts):
    """Type, nulls, distinct values, NaN and infinities, quantiles, of a column without any other kind of text."""
    there = [text for text in texts if text not in ("", "NA")]
    for kind, read in (("LONG", whole), ("DOUBLE", number), ("DATE", day)):
        values = [read(text) for text in there]
        if (
            there
            and None not in values
            and not (kind != "DATE" and any(re.match("[ \t]*[+-]?0[0-9]", one) for one in there))
        ):
            break
    else:
        kind, values = "STRING", there
    finite = sorted(value for value in values if kind != "DOUBLE" or math.isfinite(value))
    ordered = [] if kind == "STRING" else finite
    quantiles = {q: ordered[max(math.ceil(q * len(ordered)), 1) - 1] for q in (0.05, 0.25, 0.5, 0.75, 0.95) if ordered}
    return {
        "kind": kind,
        "nulls": len(texts) - len(there),
        "distinct": len({"nan" if str(value) == "nan" else value for value in values}),
        "not_finite": len(values) - len(finite),
        "least": ordered[0] if ordered else None,
        "greatest": ordered[-1] if ordered else None,
        "quantiles": quantiles,
    }
