"""How often sets of classes have the true one, by class: see scripts/simulate coverage.

A simulated lender (scripts/credit) whose outcomes are known half a year later. A model is fitted on what is known
before each of five test periods of four weeks, and sets are calibrated on its scores there; the one that is fitted on
all of it scores eight weeks of nights half a year later. All applicants of a night share its shock. Beside sets of
which each class has a limit of its own stand marginal ones, with one limit for all.
"""

import argparse
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pandas as pd
from crepes import ConformalClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from credit.world import DEFAULTED, HORIZON_DAYS, World, draw_applicants, draw_applications
from nightjar.evaluation.conformal import CLASSES, ClassLimit, ConformalSets, nonconformity
from nightjar.learning.conformal import fit_sets

FIRST = date(2023, 7, 1)
FITTED, PERIOD, PERIODS, SERVED = 120, 28, 5, 56
"""Days: of the first fit, of a test period, how many of these, and of the nights that are scored at last."""


@dataclass(frozen=True)
class Run:
    """What one lender's nights say: of each class, by sets with limits of their own and marginal ones.

    Attributes:
        rows: that had the class.
        covered: of them, those whose set has it.
        marginal: the same by marginal sets.
        abstained: the share of all rows whose set has not just one class; and of marginal sets.
        nights: the coverage of each night by itself.
    """

    rows: np.ndarray
    covered: np.ndarray
    marginal: np.ndarray
    abstained: tuple[float, float]
    nights: np.ndarray


def rows_of(world: World, days: range) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What the lender sees of the applications of some days, whether they default, and the day of each."""
    applicants = draw_applicants(world)
    frames = []
    for number in days:
        drawn = draw_applications(world, applicants, world.first + timedelta(days=number))
        columns = {"score": drawn.bureau_score / 100, "burden": np.log(drawn.amount / drawn.stated_income)}
        columns |= {name: (drawn.employment == name).astype(float) for name in ("temporary", "self_employed")}
        frames.append(pd.DataFrame(columns | {"label": drawn.outcome == DEFAULTED, "day": number}))
    rows = pd.concat(frames)
    return rows.drop(columns=["label", "day"]).to_numpy(), rows["label"].to_numpy(), rows["day"].to_numpy()


def simulate(seed: int, applications: int, error: float, *, drifts: bool) -> Run:
    """One lender."""
    end = FITTED + PERIOD * PERIODS
    begin = end + HORIZON_DAYS
    drift_from = FIRST + timedelta(days=begin) if drifts else None
    world = World(FIRST, seed, applications, drift_from=drift_from)
    inputs, label, day = rows_of(world, range(begin + SERVED))
    scores = np.full(len(label), np.nan)
    for start in range(FITTED, end, PERIOD):
        test = (day >= start) & (day < start + PERIOD)
        scores[test] = _fit(inputs[day < start], label[day < start]).predict_proba(inputs[test])[:, 1]
    tested, served = np.isfinite(scores), day >= begin
    final = _fit(inputs[day < end], label[day < end]).predict_proba(inputs[served])[:, 1]
    own = fit_sets(scores[tested], label[tested].astype(int), (), error)
    is_in, marginal = own.contain(final), _marginal(scores[tested], label[tested], error).contain(final)
    truth, night = label[served].astype(int), day[served]
    has, has_marginal = (one[np.arange(len(truth)), truth] for one in (is_in, marginal))
    return Run(
        np.bincount(truth, minlength=2),
        np.bincount(truth, has, 2),
        np.bincount(truth, has_marginal, 2),
        (float((is_in.sum(axis=1) != 1).mean()), float((marginal.sum(axis=1) != 1).mean())),
        np.array([[_mean(has[(night == one) & (truth == c)]) for c in (0, 1)] for one in np.unique(night)]),
    )


def tell_coverage(runs: int, applications: int, error: float, *, drifts: bool = False) -> Iterator[str]:
    """A line for each class, and one for who abstains."""
    results = [simulate(seed, applications, error, drifts=drifts) for seed in range(runs)]
    rows = sum(one.rows for one in results)
    covered, marginal = (sum(getattr(one, name) for one in results) / rows for name in ("covered", "marginal"))
    nights = np.concatenate([one.nights for one in results])
    for number, value in enumerate(CLASSES):
        by_run = [one.covered[number] / one.rows[number] for one in results]
        low, high = np.nanquantile(nights[:, number], [0.05, 0.95])
        yield (
            f"class {value} ({rows[number] / rows.sum():.1%} of rows): {covered[number]:.1%} of them have it in their "
            f"set, meant: {1 - error:.0%}; marginal sets: {marginal[number]:.1%}; lenders {min(by_run):.1%} to "
            f"{max(by_run):.1%}, single nights {low:.0%} to {high:.0%} (5% to 95%)"
        )
    own, others = np.mean([one.abstained for one in results], axis=0)
    yield f"abstain: {own:.1%} of rows; by marginal sets {others:.1%}"


def _fit(inputs: np.ndarray, label: np.ndarray) -> Pipeline:
    return make_pipeline(StandardScaler(), LogisticRegression()).fit(inputs, label)


def _marginal(scores: np.ndarray, label: np.ndarray, error: float) -> ConformalSets:
    """One limit for all classes, by the library's own sets: the greatest nonconformity that is still in."""
    alphas = nonconformity(scores)[np.arange(len(label)), label.astype(int)]
    values = np.unique(alphas)
    fitted = ConformalClassifier().fit(alphas)
    low, high = 0, len(values)
    while high - low > 1:
        middle = (low + high) // 2
        is_in = fitted.predict_set(values[[middle]], confidence=1 - error, smoothing=False)[0]
        low, high = (middle, high) if is_in else (low, middle)
    return ConformalSets(error, tuple(ClassLimit(value, len(alphas), float(values[low])) for value in CLASSES))


def _mean(values: np.ndarray) -> float:
    return float(values.mean()) if len(values) else np.nan


def main() -> None:
    """Print coverage by class for some errors, and for a world that has drifted."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=50, help="lenders")
    parser.add_argument("--applications", type=int, default=60, help="of a day, on average")
    options = parser.parse_args()
    started = time.monotonic()
    for error, drifts in ((0.1, False), (0.2, False), (0.1, True)):
        print(f"error {error:g}{', and loans default more often since' if drifts else ''}", flush=True)
        for line in tell_coverage(options.runs, options.applications, error, drifts=drifts):
            print(f"  {line}", flush=True)
    print(f"  {time.monotonic() - started:.0f} s", flush=True)


if __name__ == "__main__":
    main()
