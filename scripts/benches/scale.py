"""How our time grows with the rows, and what an entity with half of all rows costs."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import linear_regression
from typing import Any

import data
import outcome
from measure import Run, console, once, rounds
from process import Engine, EngineError, Place

SIZES = (1, 2, 4, 8)
HOT = 2  # the size at which a hot entity is compared with the even case


def measured(first: data.Shape, home: Path, place: Place, memory_gb: int, repeats: int) -> dict[str, Any]:
    """The figures of `scale`: seconds by size, the exponent of their growth, and the hot case.

    Args:
        first: the shape of 1x, whose kind is `one`.
        home: where data and results go.
        place: where our engine runs.
        memory_gb: what it may plan with.
        repeats: rounds after the untimed one.
    """
    shapes = {f"{size}x": data.Shape("one", size * first.spine, size * first.facts, first.per_entity) for size in SIZES}
    shapes["hot"] = data.Shape("hot", HOT * first.spine, HOT * first.facts, first.per_entity)
    layout_seconds: dict[str, float] = {}
    errors: dict[str, str] = {}
    with Engine("ours", "ours", place) as engine:
        runs: dict[str, Run] = {}
        for name, shape in shapes.items():
            case = data.case_of(shape, data.made(shape, home / "data"), {}, place.cores, memory_gb)
            try:
                layout_seconds[name] = engine.ask("prepare", case)["layout_seconds"]
                once(Run(engine, case), home / "results")
            except EngineError as error:
                errors[name] = str(error)
                continue
            runs[name] = Run(engine, case)
            console.print(f"{name} is ready: {shape.name}")
        found = rounds(runs, repeats, home / "results", errors)
    told = outcome.told("scale", first.rows(), found, {})
    return told | {
        "ratio": hot_ratio(told["seconds"]),
        "exponent": exponent(told["seconds"]),
        "layout_seconds": layout_seconds,
        "peak_memory_mb": {"ours": round(engine.peak_memory_mb)},
    }


def hot_ratio(seconds: Mapping[str, float]) -> dict[str, float]:
    """How many times as long as the even case of its size the hot one takes; empty where one of them failed."""
    even = seconds.get(f"{HOT}x")
    return {"hot": seconds["hot"] / even} if even and "hot" in seconds else {}


def exponent(seconds: Mapping[str, float]) -> float | None:
    """The e of seconds = c * rows ** e, by least squares on logarithms; None where a size is missing."""
    sizes: Sequence[int] = [size for size in SIZES if f"{size}x" in seconds]
    if len(sizes) < len(SIZES):
        return None
    logs = [math.log(seconds[f"{size}x"]) for size in sizes]
    return linear_regression([math.log(size) for size in sizes], logs).slope
