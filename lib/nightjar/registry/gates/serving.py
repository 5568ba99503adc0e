"""Whether a version scores fast enough, and is small enough."""

from collections.abc import Mapping
from typing import Any

from nightjar.registry.gates.outcome import Outcome, Verdict
from nightjar.settings.promotion import Promotion

SPEED, SIZE = "speed", "size"
MIB = 2**20


def judge_speed(evidence: Mapping[str, Any], settings: Promotion) -> Outcome | None:
    """It has scored as many rows a second as declared, in its training; None: the project declares no limit."""
    limit, figure = settings.rows_per_second, (evidence.get("gates") or {}).get("rows_per_second")
    if limit is None:
        return None
    if figure is None:
        return Outcome(SPEED, Verdict.PERSON, "Its training did not measure how fast it scores.", None, limit)
    verdict, word = (Verdict.PASSED, "at least") if figure >= limit else (Verdict.REFUSED, "fewer than")
    return Outcome(SPEED, verdict, f"It scores {figure:,.0f} rows a second, {word} {limit:,g}.", figure, limit)


def judge_size(artifact: Mapping[str, Any], settings: Promotion) -> Outcome | None:
    """The stored model is as small as declared; None: the project declares no limit, or it cannot be read."""
    limit, size = settings.artifact_mib, artifact.get("bytes")
    if limit is None or size is None:
        return None
    figure = size / MIB
    verdict, word = (Verdict.PASSED, "at most") if figure <= limit else (Verdict.REFUSED, "more than")
    return Outcome(SIZE, verdict, f"The stored model has {figure:,.2f} MiB, {word} {limit:g}.", figure, limit)
