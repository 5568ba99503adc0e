"""Formats numbers and dates for people. A null becomes a dash with the reason."""

import math
import re

from markupsafe import Markup, escape

MEASURES = {
    "roc_auc": "ROC AUC",
    "brier": "Brier score",
    "expected_calibration_error": "calibration error",
    "positive_rate": "observed rate",
    "rmse": "RMSE",
    "mae": "MAE",
    "r2": "R²",
    "ndcg": "NDCG",
    "ks": "KS",
    "gini": "Gini",
    "f1": "F1",
    "f1_weighted": "F1, weighted",
    "precision_weighted": "precision, weighted",
    "roc_auc_weighted": "ROC AUC, weighted",
    "average_precision_weighted": "average precision, weighted",
    "top_label_calibration_error": "top-label calibration error",
    "unseen_share": "rows of unseen classes",
    "expected_cost": "cost of a row",
    "lift_of_tenth": "lift of the top tenth",
    "gain_of_tenth": "gain of the top tenth",
    "reliability": "reliability (part of Brier)",
    "resolution": "resolution (part of Brier)",
    "uncertainty": "uncertainty (part of Brier)",
    "mape": "MAPE",
    "smape": "sMAPE",
    "pinball": "pinball loss",
    "mean_average_precision": "MAP",
    "mean_reciprocal_rank": "MRR",
    "known_positive_share": "share known to be true so far",
}
_DATE = re.compile(r"(\d{4}-\d{2}-\d{2})")


def dash(why: str) -> Markup:
    """A dash in place of a number, with the reason for people who point at it or hear it."""
    return Markup('<span class="none" role="img" aria-label="none: {why}" title="{why}">–</span>').format(why=why)


def figure(value: float | None, why: str = "not measured", digits: int = 3) -> str:
    """0.683; a number other than 0 is never shown as 0.000; a dash for null and NaN."""
    if value is None or math.isnan(value):
        return dash(why)
    return f"{value:.2g}" if 0 < abs(value) < 0.5 * 10**-digits else f"{value:,.{digits}f}"


def whole(value: float | None, why: str = "not counted") -> str:
    """12,345."""
    return dash(why) if _is_none(value) else f"{value:,.0f}"


def percent(value: float | None, why: str = "not measured") -> str:
    """A share as 12.3%; only 0 and 1 are shown as 0.0% and 100.0%."""
    if value is None or math.isnan(value):
        return dash(why)
    if 0 < value < 0.0005:
        return "< 0.1%"
    if 0.9995 <= value < 1:
        return "> 99.9%"
    return f"{value:.1%}"


def points(value: float) -> str:
    """A difference of shares in percentage points: +3.2 or -12."""
    return f"{100 * value:+.1f}" if abs(value) < 0.0995 else f"{100 * value:+.0f}"


def p_value(value: float | None, why: str = "not measured") -> str:
    """0.023, and < 0.001 below that."""
    if value is None or math.isnan(value):
        return dash(why)
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def interval(low: float | None, high: float | None, why: str = "the evidence states no interval") -> str:
    """0.660 to 0.700."""
    if _is_none(low) or _is_none(high):
        return dash(why)
    return f"{figure(low)} to {figure(high)}"


def signed(value: float | None, why: str = "not measured") -> str:
    """A difference: +0.071, -1.2e-05; as `figure`, with its sign."""
    if value is None or math.isnan(value):
        return dash(why)
    return f"{'-' if value < 0 else '+'}{figure(abs(value))}"


def mebibytes(value: float) -> str:
    """1,234 MiB."""
    return f"{value / 2**20:,.0f} MiB"


def seconds(value: float | None) -> str:
    """4.2 s, 3 min 12 s, 1 h 05 min."""
    if value is None or math.isnan(value):
        return dash("not recorded")
    if value < 59.95:
        return f"{value:.1f} s"
    minutes, rest = divmod(round(value), 60)
    return f"{minutes} min {rest:02} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02} min"


def compact(value: float) -> str:
    """An axis label: four significant digits, thousands apart, no trailing zeros."""
    rounded = float(f"{value:.4g}") + 0.0  # + 0.0: no minus before a zero
    return f"{rounded:,.0f}" if rounded.is_integer() and abs(rounded) < 1e9 else f"{rounded:.4g}"


def count_noun(count: int, singular: str, plural: str = "") -> str:
    """1 row, 12 rows, no rows."""
    return (
        f"{count or 'no':,} {singular if count == 1 else plural or singular + 's'}"
        if count
        else f"no {plural or singular + 's'}"
    )


def measure(name: str) -> str:
    """A measure's name in the field's own spelling."""
    return MEASURES.get(name, name.replace("_", " "))


def heading(name: str) -> str:
    """A measure's name as the head of a column, capitalised."""
    spelt = measure(name)
    return spelt[0].upper() + spelt[1:]


def dates(text: str) -> Markup:
    """The text, escaped, with no line break inside an ISO date."""
    return Markup("").join(
        Markup('<span class="nowrap">{}</span>').format(part) if _DATE.fullmatch(part) else escape(part)
        for part in _DATE.split(text)
    )


def _is_none(value: float | None) -> bool:
    return value is None or math.isnan(value)


def shorten(text: str, most: int) -> str:
    """The beginning of a text that is longer than so many letters, and a sign that it goes on."""
    return text if len(text) <= most else text[: most - 1] + "…"
