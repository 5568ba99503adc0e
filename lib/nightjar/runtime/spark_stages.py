"""What Spark's stages took, from the store behind its web interface, which is there without the interface too."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pyspark.sql import SparkSession

CALL_SITE = re.compile(r" at \S*?([^/\s]+?)(:\d+)?$")
"""Of a stage's name, which is its action and the line of code behind it: the file's folder and the line go."""
MEDIAN, MOST = 0.5, 1.0
MINUTE = 60_000
"""Milliseconds."""


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
    context: Any = session.sparkContext._jsc.sc()  # noqa: SLF001
    gateway: Any = session.sparkContext._gateway  # noqa: SLF001
    context.listenerBus().waitUntilEmpty()  # the store hears of an end later
    store, nothing = context.statusStore(), java.java.util.ArrayList()
    listed = store.stageList(nothing, False, False, gateway.new_array(java.double, 0), nothing)
    first = int(begin.timestamp() * 1000)
    stages = parse(_fields(listed, first), first)
    several = [stage for stage in stages if stage.tasks > 1]
    skew = None
    if several:
        longest = max(several, key=lambda stage: stage.ends - stage.begins)
        quantiles = gateway.new_array(java.double, 2)
        quantiles[0], quantiles[1] = MEDIAN, MOST
        summary = store.taskSummary(longest.number, longest.attempt, quantiles)
        if summary.isDefined():
            durations = summary.get().duration()
            skew = skew_of(durations.apply(0), durations.apply(1))
    return Stages(wall_times(stages), sum(stage.spilled for stage in stages), skew)


def _fields(listed: Any, begin: int) -> Iterator[dict[str, Any]]:
    """The fields of Java's `StageData` since an instant; older ones may stand before them, but not by a minute.

    One by one: to let Java write them all as JSON takes six times as long in a fresh process, and each costs few calls.
    """
    for place in range(listed.size()):
        one = listed.apply(place)
        submitted = one.submissionTime()
        if submitted.isEmpty():
            continue
        begins = submitted.get().getTime()
        if begins < begin - MINUTE:
            return
        if begins < begin:
            continue
        completed = one.completionTime()
        if completed.isEmpty():
            continue
        yield {
            "stageId": one.stageId(),
            "attemptId": one.attemptId(),
            "name": one.name(),
            "submissionTime": begins,
            "completionTime": completed.get().getTime(),
            "numTasks": one.numTasks(),
            "diskBytesSpilled": one.diskBytesSpilled(),
        }


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


def skew_of(median: float, most: float) -> float | None:
    """The longest task by the median one, of their times; None where the median task took no time."""
    return most / median if median else None
