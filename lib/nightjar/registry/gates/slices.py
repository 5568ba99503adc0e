"""Whether a version is worse than what it would replace in a slice of the rows."""

from collections.abc import Mapping, Sequence
from typing import Any

from nightjar.registry.gates.outcome import Outcome, Verdict, has_bounds, in_words
from nightjar.settings.promotion import Promotion

SLICES = "slices"
HARM = 0.5
"""A slice has to be able to show errors that are larger by this share of those of what is replaced."""
SAME_RECIPE = "the same recipe, which learns from more rows now"
"""The basis of a comparison with a champion that differs from the new model only in the rows it has learned from."""


def judge_slices(evidence: Mapping[str, Any], settings: Promotion) -> Outcome | None:
    """No slice is shown to be worse by more than the margin; None: the project declares none."""
    columns, margin = settings.slices.columns, -settings.slices.not_worse_by
    if not columns:
        return None
    recorded = (evidence.get("gates") or {}).get("slices")
    if recorded is None and (evidence.get("champion") or {}).get("basis") == SAME_RECIPE:
        return Outcome(
            SLICES, Verdict.PASSED, f"The champion is {SAME_RECIPE}: no slice can be told apart.", None, margin
        )
    judged = [one for one in recorded or [] if one["column"] in columns]
    missing = set(columns) - {one["column"] for one in judged}
    if missing:
        why = f"Slices of {', '.join(sorted(missing))} were not measured: there was nothing to compare them with."
        return Outcome(SLICES, Verdict.PERSON, why, None, margin)
    return _judge_measured(evidence["metric"], judged, settings.slices.least_rows, margin)


def _judge_measured(metric: str, judged: Sequence[Mapping[str, Any]], least: int, margin: float) -> Outcome:
    bounded = [one for one in judged if has_bounds(one) and _rows_that_count(one) >= least]
    worst = min(bounded, key=_best_case, default=None)
    if worst is not None and _best_case(worst) < margin:
        what = f"{worst['column']}={worst['value']} against {worst['over']}: {in_words(metric, worst)}"
        sentence = f"{what}, worse by more than {-margin:g}."
        return Outcome(SLICES, Verdict.REFUSED, sentence, worst["estimate"], margin, worst["size"])
    open_ones = [one for one in judged if one not in bounded or _would_hide_harm(one)]
    if open_ones:
        first = open_ones[0]
        why = _reason(first, least)
        others = f" (and {len(open_ones) - 1} more)" if len(open_ones) > 1 else ""
        sentence = f"Of {first['column']}={first['value']}{others} it cannot be said whether it is worse: {why}."
        return Outcome(SLICES, Verdict.PERSON, sentence, first["estimate"], margin, first["size"])
    figure, size = (None, None) if worst is None else (worst["estimate"], worst["size"])
    sentence = f"None of {len(judged)} slices is shown to be worse by more than {-margin:g}."
    return Outcome(SLICES, Verdict.PASSED, sentence, figure, margin, size)


def _reason(one: Mapping[str, Any], least: int) -> str:
    """Why it cannot be said whether a slice is harmed."""
    rows = _rows_that_count(one)
    if one["reason"] or rows >= least:
        return one["reason"] or f"its {rows} rows would not show errors that are half as large again"
    of_class = "" if one.get("of_rarer_class") is None else " of the rarer class"
    return f"it has {rows} rows{of_class}, fewer than {least}"


def _would_hide_harm(one: Mapping[str, Any]) -> bool:
    """Whether errors that are half as large again would mostly pass; of two classes the rarer one's rows say enough."""
    if "smallest" not in one:
        return False
    smallest, error = one["smallest"], one["error"]
    return smallest is None or error is None or smallest > HARM * error


def _rows_that_count(one: Mapping[str, Any]) -> int:
    """The rows that count: of two classes those of the rarer one, which evidence of before does not have."""
    of_rarer = one.get("of_rarer_class")
    return int(one["size"] if of_rarer is None else of_rarer)


def _best_case(difference: Mapping[str, Any]) -> float:
    """The end of the interval at which the new model is best, negative where it is worse there too."""
    return float(difference["high"] if difference["better"] > 0 else -difference["low"])
