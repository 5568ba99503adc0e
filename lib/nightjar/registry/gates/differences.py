"""Whether a version beats every baseline and the champion that it would replace, and what chance of error that has."""

from collections.abc import Mapping
from typing import Any

from nightjar.evaluation.clusters import FEWEST
from nightjar.registry.attempts import LEAST
from nightjar.registry.gates.outcome import Outcome, Verdict, has_bounds, in_words, signed
from nightjar.registry.period import this_period_only
from nightjar.settings.promotion import Promotion

BASELINES, PERIOD, CHAMPION, ATTEMPT = "baselines", "period", "champion", "attempt"
ADVICE = "Use a longer final period (search.final_days), or have a person promote it (jobs/promote.py action=approve)."


def judge_baselines(evidence: Mapping[str, Any]) -> Outcome:
    """All are beaten, with the whole interval on the better side."""
    strongest = evidence["difference"]
    others = evidence.get("differences", {})  # evidence of before has the strongest one only
    differences = [strongest, *(one for one in others.values() if one["over"] != strongest["over"])]
    outcomes = [_judge_baseline(evidence, difference) for difference in differences]
    return next((one for one in outcomes if one.verdict is not Verdict.PASSED), outcomes[0])


def _judge_baseline(evidence: Mapping[str, Any], difference: Mapping[str, Any]) -> Outcome:
    metric, rows = evidence["metric"], difference.get("rows")
    what = f"{evidence['candidate']['name']} against {difference['over']} on {' to '.join(evidence['period'])}"
    if not has_bounds(difference):
        return Outcome(BASELINES, Verdict.PERSON, f"{what}: {_without_bounds(metric, difference)}.", None, 0.0, rows)
    is_better = _worst(difference) > 0
    verdict, word = (Verdict.PASSED, "better") if is_better else (Verdict.REFUSED, "not reliably better")
    sentence = f"{what}: {word}, {in_words(metric, difference)}."
    return Outcome(BASELINES, verdict, sentence, difference["estimate"], 0.0, rows)


def judge_period(evidence: Mapping[str, Any], *, is_better: bool) -> Outcome:
    """The period has at least three blocks of time: metrics of fewer hold for that period only.

    Args:
        evidence: of the version.
        is_better: whether it beats the baselines there.
    """
    why_only, strongest = this_period_only(evidence), evidence["difference"]
    blocks = (evidence.get("clusters") or {}).get("blocks")
    if why_only is None:
        return Outcome(PERIOD, Verdict.PASSED, f"The figures are over {blocks} blocks of time.", blocks, FEWEST)
    what = f"{evidence['candidate']['name']} against {strongest['over']} on {' to '.join(evidence['period'])}"
    better = f"better in this period only, {in_words(evidence['metric'], strongest)}"
    figure = better if is_better else "of this period only"
    return Outcome(PERIOD, Verdict.PERSON, f"{what}: {figure}: {why_only}. {ADVICE}", blocks, FEWEST)


def judge_champion(evidence: Mapping[str, Any], settings: Promotion) -> Outcome | None:
    """The champion is beaten by the margin of the settings, or is not better by more; None: there is none.

    One that has expired is only compared: it scores no more.
    """
    champion, metric = evidence.get("champion"), evidence["metric"]
    if champion is None:
        return None
    what, rows = f"Against {champion['over']}", champion.get("rows")
    margin = settings.better_by if settings.not_worse_by is None else -settings.not_worse_by
    if champion.get("has_expired"):
        figure = in_words(metric, champion) if has_bounds(champion) else _without_bounds(metric, champion)
        sentence = f"{what}: {figure}. It scores no more: the baselines decide."
        return Outcome(CHAMPION, Verdict.PASSED, sentence, champion["estimate"], None, rows)
    if not has_bounds(champion):
        sentence = f"{what}: {_without_bounds(metric, champion)}. {ADVICE}"
        return Outcome(CHAMPION, Verdict.PERSON, sentence, champion["estimate"], margin, rows)
    margin_in_words = f"better by {margin:g}" if margin > 0 else f"not worse by {-margin:g}" if margin < 0 else "better"
    figure, worst = f"{in_words(metric, champion)}, {champion['basis']}", _worst(champion)
    fails = worst < margin or worst == margin == 0
    verdict, word = (Verdict.REFUSED, "not reliably ") if fails else (Verdict.PASSED, "")
    return Outcome(CHAMPION, verdict, f"{what}: {word}{margin_in_words}, {figure}.", champion["estimate"], margin, rows)


def judge_attempt(evidence: Mapping[str, Any]) -> Outcome | None:
    """A chance of a false promotion was there for it to take; None: it was, or the comparison takes none."""
    attempt = evidence.get("attempt")
    if attempt is None or attempt["level"] > 0:
        return None
    sentence = (
        "Earlier trainings of this date or later ones have taken what there is of false_promotions_per_year: by its "
        "evidence it is not promoted. Train for a later date, for which more has come in, or have a person promote it "
        "(jobs/promote.py action=approve)."
    )
    return Outcome(ATTEMPT, Verdict.PERSON, sentence, 0.0, LEAST)


def _worst(difference: Mapping[str, Any]) -> float:
    """The end of the interval at which the new model is worst, positive where it is better there too."""
    return float(difference["low"] if difference["better"] > 0 else -difference["high"])


def _without_bounds(metric: str, difference: Mapping[str, Any]) -> str:
    reason = difference.get("reason") or "its evidence, of an earlier version, does not say why"
    if difference["estimate"] is None:
        return f"{metric} cannot be compared: {reason}"
    return f"{metric} {signed(difference['estimate'])} has no interval: {reason}"
