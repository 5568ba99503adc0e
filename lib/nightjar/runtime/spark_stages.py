"""What Spark's stages took, from the store behind its web interface, which is there without the interface too."""

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pyspark.sql import SparkSession

CALL_SITE = re.compile(r" at \S*?([^/\s]+?)(:\d+)?$")
"""Of a stage's name, which is its action and the line of code behind it: the file's folder and the line go."""
MEDIAN, MOST = 0.5, 1.0


@dataclass(frozen=True)
class Stage:
    """One finished stage.

    Attributes:
        number, attempt: which one.
        site: its action and the module that asked for it.
        begins, ends: milliseconds since 1970.
        tasks: how many.
        spilled: bytes that its tasks put on disk.
    """

    number: int
    attempt: int
    site: str
    begins: int
    ends: int
    tasks: int
    spilled: int


@dataclass(frozen=True)
class Stages:
    """What the stages of a while took together.

    Attributes:
        seconds: call site -> wall time; of several side by side each instant counts once, for the first of them.
        spilled: bytes.
        skew: see `runs`.
    """

    seconds: dict[str, float]
    spilled: int
    skew: float | None


def since(session: SparkSession, begin: datetime) -> Stages:
    """The stages that were submitted since an instant and have ended."""
    java: Any = session.sparkContext._jvm  # noqa: SLF001  (PySpark's only way to ask Java)
    session.sparkContext._jsc.sc().listenerBus().waitUntilEmpty()  # noqa: SLF001  (the store hears of an end later)
    store: Any = session.sparkContext._jsc.sc().statusStore()  # noqa: SLF001
    gateway: Any = session.sparkContext._gateway  # noqa: SLF001
    mapper = java.com.fasterxml.jackson.databind.ObjectMapper()
    mapper.registerModule(java.com.fasterxml.jackson.module.scala.DefaultScalaModule())
    nothing = java.java.util.ArrayList()
    # One call for all of them: each costs a message to Java and back.
    listed = store.stageList(nothing, False, False, gateway.new_array(java.double, 0), nothing)
    stages = parse(json.loads(mapper.writeValueAsString(listed)), int(begin.timestamp() * 1000))
    several = [stage for stage in stages if stage.tasks > 1]
    skew = None
    if several:
        longest = max(several, key=lambda stage: stage.ends - stage.begins)
        quantiles = gateway.new_array(java.double, 2)
        quantiles[0], quantiles[1] = MEDIAN, MOST
        summary = store.taskSummary(longest.number, longest.attempt, quantiles)
        if summary.isDefined():
            skew = skew_of(json.loads(mapper.writeValueAsString(summary.get())))
    return Stages(wall_times(stages), sum(stage.spilled for stage in stages), skew)


def parse(listed: Iterable[dict[str, Any]], begin: int) -> list[Stage]:
    """The finished stages of a listing that were submitted at or after an instant, in their order.

    Args:
        listed: the fields of Spark's `StageData`.
        begin: milliseconds since 1970.
    """
    stages = [
        Stage(
            int(one["stageId"]),
            int(one["attemptId"]),
            CALL_SITE.sub(r" at \1", one["name"]),
            int(one["submissionTime"]),
            int(one["completionTime"]),
            int(one["numTasks"]),
            int(one["diskBytesSpilled"]),
        )
        for one in listed
        if one.get("submissionTime") is not None and one.get("completionTime") is not None
    ]
    return sorted((stage for stage in stages if stage.begins >= begin), key=lambda stage: (stage.begins, stage.number))


def wall_times(stages: Sequence[Stage]) -> dict[str, float]:
    """Call site -> seconds in which its stages ran, those side by side with an earlier one of which only the rest.

    Example:
        >>> one, other = Stage(0, 0, "collect at a.py", 0, 2000, 1, 0), Stage(1, 0, "count at b.py", 1000, 2500, 1, 0)
        >>> wall_times([one, other])
        {'collect at a.py': 2.0, 'count at b.py': 0.5}
    """
    seconds: dict[str, float] = {}
    counted = 0
    for stage in stages:
        begins = max(stage.begins, counted)
        if stage.ends > begins:
            seconds[stage.site] = seconds.get(stage.site, 0.0) + (stage.ends - begins) / 1000
        counted = max(counted, stage.ends)
    return seconds


def skew_of(summary: dict[str, Any]) -> float | None:
    """The longest task by the median one, of their times; None where the median task took no time."""
    median, most = summary["duration"]
    return float(most) / float(median) if median else None
