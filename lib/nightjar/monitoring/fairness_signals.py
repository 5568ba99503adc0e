"""Groups that fare otherwise than all other rows, over the last nights together: one night has too few rows to say."""

from collections.abc import Iterator, Mapping
from datetime import date

import numpy as np
from scipy.stats import t as student

from nightjar.evaluation.fairness_criteria import FOUR_FIFTHS
from nightjar.evaluation.followed import AGAINST_REST
from nightjar.evaluation.intervals import LEVEL
from nightjar.monitoring.history import Key, Row
from nightjar.monitoring.signals import Kind, Signal, State
from nightjar.settings.project import Project

NIGHTS, FEWEST = 28, 7
_RATIO = "disparate_impact"


def limit_signals(figures: Mapping[date, Mapping[Key, Row]], project: Project) -> Iterator[Signal]:
    """Each group whose criterion is beyond its limit with the whole interval of the last nights' mean.

    The limits are those of `promotion.fairness`, which are to be acted on; where it has none, a ratio of selection
    rates below four fifths is to be looked at. An interval holds for all comparisons together (Bonferroni).

    Args:
        figures: of a version's nights with final labels, ascending.
        project: whose groups they are.
    """
    limits = project.promotion.fairness.limits()
    nights = list(figures)[-NIGHTS:]
    keys = sorted({key for night in nights for key in figures[night] if _criterion(key) in {*limits, _RATIO}})
    for of, measure in keys:
        criterion = _criterion((of, measure))
        rows = [row for night in nights if (row := figures[night].get((of, measure))) and row["value"] is not None]
        if len(rows) < FEWEST:
            continue
        mean, half = _mean([row["value"] for row in rows], [row["rows"] or 1 for row in rows], len(keys))
        evidence = {"value": mean, "low": mean - half, "high": mean + half, "nights": len(rows)}
        subject, over = f"{criterion} of {of}", f"over the last {len(rows)} judged nights"
        if criterion in limits and abs(mean) - half > limits[criterion]:
            sentence = f"{criterion} of {of} is {mean:+.3f} beside all other rows {over}, beyond {limits[criterion]:g}."
            yield Signal(Kind.FAIRNESS, f"{subject}, level", State.ACT, sentence, evidence=evidence)
        elif criterion == _RATIO and not limits and mean + half < FOUR_FIFTHS:
            sentence = f"{of} is acted on {mean:.2f} times as often as all other rows {over}, below {FOUR_FIFTHS:g}."
            yield Signal(Kind.FAIRNESS, f"{subject}, level", State.WATCH, sentence, evidence=evidence)


def _criterion(key: Key) -> str:
    return key[1].removesuffix(AGAINST_REST) if key[1].endswith(AGAINST_REST) else ""


def _mean(values: list[float], rows: list[int], comparisons: int) -> tuple[float, float]:
    """The mean over nights, by their rows, and half of the width of its interval."""
    weight = np.array(rows, np.float64) / sum(rows)
    figures = np.array(values)
    mean = float(weight @ figures)
    variance = float((weight**2) @ (figures - mean) ** 2) * len(rows) / (len(rows) - 1)
    confidence = 1 - (1 - LEVEL) / comparisons
    return mean, float(student.ppf((1 + confidence) / 2, len(rows) - 1) * np.sqrt(variance))
