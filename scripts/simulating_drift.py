"""How often nights without a change are judged to have changed, and how soon changes are seen: see scripts/simulate
drift.

A year of nights of columns whose distributions are shifted by shocks that last, some of them by one shock of all; 270
nights are the reference, those after it are judged as they come, with the history of the nights before. Changes are
planted from one night on. Streams of daily figures are judged by cumulative sums. And the flights of the example: each
block of 28 nights by the nights before it, as they were, with nothing planted.
"""

import argparse
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta

import numpy as np
from scipy.special import ndtr, ndtri
from scipy.stats import binom

from nightjar.evaluation.change_detection import detect
from nightjar.evaluation.judgements import NightJudgement
from nightjar.evaluation.nulls import fit_null
from nightjar.evaluation.windows import judge
from simulating_drift_flights import WINDOWS, blocks_of_flights

FIRST = date(2023, 1, 1)
NIGHTS, REFERENCE, PLANTED, GAP = 365, 270, 300, 28
ROWS = 1000
EDGES = ndtri(np.arange(1, 10) / 10)
UNITS = np.log(1.609344) / 0.7
"""Miles to kilometres, of values whose logarithms deviate by 0.7: in such deviations."""
Counts = Mapping[str, np.ndarray]


def shocks(random: np.random.Generator, columns: int, nights: int, lasting: float) -> np.ndarray:
    """One a column and night, of deviation 1, (columns, nights): each correlated so far with that of the night
    before.
    """
    result = random.normal(size=(columns, nights))
    for night in range(1, nights):
        result[:, night] = lasting * result[:, night - 1] + (1 - lasting**2) ** 0.5 * result[:, night]
    return result


class Year:
    """Counts of a year's nights, and the same with changes planted in them.

    Every third column has levels, one of which is rare; the others are numbers. All have ten bins or levels, beside
    nulls and what lies outside. A night's shock shifts a column by 0.05 to 0.2 of the deviation of its rows.
    """

    def __init__(self, seed: int, columns: int, lasting: float) -> None:
        """Draw a year."""
        self.random = np.random.default_rng(seed)
        self.names = [f"column {number}" for number in range(columns)]
        self.numbers = [name for number, name in enumerate(self.names) if number % 3 < 2]
        self.dates = [FIRST + timedelta(days) for days in range(NIGHTS)]
        together = self.random.uniform(0, 0.8, size=(columns, 1))
        own, of_all = (shocks(self.random, size, NIGHTS, lasting) for size in (columns, 1))
        self.deviation = self.random.uniform(0.05, 0.2, size=(columns, 1))
        weekdays = 0.5 * self.random.normal(size=(columns, 7))[:, np.arange(NIGHTS) % 7]
        self.shift = self.deviation * (together * of_all + np.sqrt(1 - together**2) * own + weekdays)
        weekend = np.where(np.arange(NIGHTS) % 7 >= 5, 0.8, 1.0)
        self.rows = (ROWS * weekend * np.exp(0.05 * self.random.normal(size=NIGHTS))).astype(int)
        # Of the means of nights, as anyone can measure it: by shocks, by weekdays, and by the chance of rows.
        self.night_deviation = np.sqrt(self.shift[:, :REFERENCE].var(axis=1, keepdims=True) + 1 / ROWS)
        self.counts = self.draw(self.shift, slice(None))

    def draw(self, shift: np.ndarray, nights: slice) -> np.ndarray:
        """(columns, nights, bins): nulls, below all edges, ten bins, above all edges or other levels."""
        below = ndtr(EDGES - shift[:, nights, None])
        share = np.diff(below, axis=-1, prepend=0, append=1)
        counts = self.random.multinomial(self.rows[nights], share)
        return np.pad(counts, ((0, 0), (0, 0), (2, 1)))

    def by_name(self, counts: np.ndarray) -> Counts:
        """By column."""
        return dict(zip(self.names, counts, strict=True))

    def planted(self, change: str, nights: slice, by: float = 3.0) -> np.ndarray:
        """The counts of some nights with a change in every column, of means by so many night deviations."""
        shift = {"mean": by * self.night_deviation, "units": np.full_like(self.deviation, UNITS)}.get(change, 0.0)
        counts = self.draw(self.shift + shift, nights)
        share, place = {"level": (0.05, -1), "nulls": (0.1, 0), "frozen": (1.0, -1)}.get(change, (0.0, 0))
        moved = self.random.binomial(counts, share)
        counts = counts - moved
        counts[..., place] += moved.sum(axis=-1)
        return counts


def simulate_nights(columns: int, runs: int, lasting: float) -> Iterator[str]:
    """False alarms of the nights after the reference, and in how many nights planted changes are seen."""
    states = list[str]()
    seen: dict[str, list[int]] = {change: [] for change in ("mean", "level", "nulls", "units", "frozen")}
    for run in range(runs):
        year = Year(run, columns, lasting)
        reference = Reference(year)
        own, history = follow(reference, year.counts, REFERENCE, [])
        states += own
        for change in seen:
            seen[change] += first_seen(reference, change, history[: PLANTED - REFERENCE])
    yield from false_alarms(states)
    in_time = {"mean": 5 if columns < 1000 else 7, "level": 3, "nulls": 3, "units": 1, "frozen": 1}
    for change, within in in_time.items():
        late = np.array(seen[change])
        share = np.mean(late <= within)
        yield f"{change}: {share:.1%} of {len(late)} watched within {within}, median {np.median(late):.0f}"


def false_alarms(states: Sequence[str]) -> Iterator[str]:
    """Of nights without a change, how many are said to have one."""
    for state, limit in (("watch", 0.05), ("act", 0.005)):
        worse = sum(one in (state, "act") for one in states) / len(states)
        most = binom.ppf(0.975, len(states), limit) / len(states)
        yield f"{state} without a change: {worse:.2%} of {len(states)} nights; limit {limit:.1%}, by chance {most:.2%}"


class Reference:
    """The first nights of a year, and how those after it are judged by them."""

    def __init__(self, year: Year, windows: Sequence[int] = WINDOWS) -> None:
        """Fit what is usual."""
        self.year, self.windows = year, windows
        nights = year.by_name(year.counts[:, :REFERENCE])
        dates, numbers = year.dates[:REFERENCE], year.numbers
        self.null = fit_null(dates, nights, gap_days=GAP, oldest_days=95, numbers=numbers)
        self.counts = year.by_name(year.counts[:, :REFERENCE].sum(axis=1))

    def judge(self, night: int, counts: np.ndarray, history: Sequence[Mapping[str, float]]) -> NightJudgement:
        """Judge a night by its counts and those of the nights before, (columns, nights, bins)."""
        recent = range(max(REFERENCE, night - max(self.windows, default=0) + 1), night)
        before = {
            name: {self.year.dates[one]: own[one] for one in recent} for name, own in self.year.by_name(counts).items()
        }
        distances = {name: [one[name] for one in history[-6:]] for name in self.year.names}
        tonight, lag = self.year.by_name(counts[:, night]), night - REFERENCE + 1
        return judge(self.null, self.year.dates[night], lag, tonight, self.counts, distances, before, self.windows)


def follow(
    reference: Reference, counts: np.ndarray, first: int, history: Sequence[Mapping[str, float]]
) -> tuple[list[str], list[dict[str, float]]]:
    """The state of each night from one on, and of each column the studentised distances of all nights."""
    states, distances = list[str](), [dict(one) for one in history]
    for night in range(first, counts.shape[1]):
        result = reference.judge(night, counts, distances)
        states.append(result.state)
        distances.append({name: one.studentised for name, one in result.columns.items()})
    return states, distances


def first_seen(
    reference: Reference, change: str, history: Sequence[Mapping[str, float]], nights: int = 8, by: float = 3.0
) -> list[int]:
    """After how many nights each column is first watched, 99 where it is not.

    Only numbers have units and ages, only levels a new one; units are changed where nights deviate by 0.1 at most.
    """
    year, before, result = reference.year, list(history), dict.fromkeys(reference.year.names, 99)
    changed = year.planted(change, slice(PLANTED, PLANTED + nights), by)
    counts = np.concatenate([year.counts[:, :PLANTED], changed], axis=1)
    for place in range(nights):
        judged = reference.judge(PLANTED + place, counts, before)
        before.append({name: one.studentised for name, one in judged.columns.items()})
        for name, one in judged.columns.items():
            if one.state != "ok":
                result[name] = min(result[name], place + 1)
    is_quiet = year.deviation[:, 0] <= 0.1
    of_units = [name for number, name in enumerate(year.names) if number % 3 < 2 and is_quiet[number]]
    columns = {"level": year.names[2::3], "units": of_units, "frozen": year.numbers}.get(change, year.names)
    return [result[name] for name in columns]


def simulate_windows(columns: int, runs: int, lasting: float) -> Iterator[str]:
    """False alarms, and small shifts that last, with windows beside the night and without."""
    for windows in ((), WINDOWS):
        states, seen = list[str](), {by: list[int]() for by in (1.0, 1.5)}
        for run in range(runs):
            reference = Reference(Year(run, columns, lasting), windows)
            own, history = follow(reference, reference.year.counts, REFERENCE, [])
            states += own
            for by in seen:
                seen[by] += first_seen(reference, "mean", history[: PLANTED - REFERENCE], 28, by)
        yield f"windows {windows}:"
        yield from false_alarms(states)
        for by, late in seen.items():
            shares = ", ".join(f"{np.mean(np.array(late) <= within):.1%} within {within}" for within in (7, 14, 28))
            yield f"a shift by {by:g} night deviations in {len(late)} columns: {shares}"


def simulate_streams(streams: int, nights: int, reference: int, lasting: float) -> Iterator[str]:
    """Streams that are watched together: false alarms, how soon a drop and a flip are seen; and alone a prior shift."""
    random = np.random.default_rng(0)
    dates = [FIRST + timedelta(days) for days in range(reference + nights)]
    alarms, delays, priors, flips = 0, [], [], []
    for figures in shocks(random, streams, len(dates), lasting):
        path = alarmed(figures, np.zeros(len(dates)), dates, reference)
        alarms += int(path[0]) + int((np.diff(path.astype(int)) == 1).sum())
        delays.append(delay(figures, 0.0, -1.5, dates, reference))
        # Observed minus expected positives of 1,000 rows at 20%, where nights deviate by 3 points beyond chance.
        error = (0.2 * 0.8 / 1000) ** 0.5
        prior = 0.03 * figures + error * random.normal(size=len(dates))
        priors.append(delay(prior, error, -1.5 * np.hypot(0.03, error), dates, reference, together=1))
        # ROC AUC of a slice of 100 rows, 0.75 until its outcomes turn around.
        area = 0.75 + 0.02 * figures + 0.05 * random.normal(size=len(dates))
        flips.append(delay(area, 0.05, -0.5, dates, reference))
    rate = alarms / streams / nights * 60 * 50
    yield f"{rate:.2f} false alarms of 60 streams in 50 nights ({alarms} in all); limit 1"
    for name, nights_late, within in (
        ("drop of 1.5", delays, 7),
        ("prior shift", priors, 7),
        ("concept flip", flips, 14),
    ):
        late = np.array(nights_late)
        yield f"{name}: median night {np.median(late):.0f}, {np.mean(late <= within):.1%} within {within}"


def alarmed(
    figures: np.ndarray, errors: np.ndarray, dates: Sequence[date], reference: int, together: int = 60
) -> np.ndarray:
    """Whether each night after the reference would raise an alarm, as if it were the last."""
    result = detect(figures, errors, dates, judged_from=dates[reference], worse="lower", streams=together)
    return np.array(result.path) > result.limit


def delay(
    figures: np.ndarray, error: float, change: float, dates: Sequence[date], reference: int, together: int = 60
) -> int:
    """On which night after a change 20 nights past the reference there is an alarm that was not before; 99: none."""
    changed = figures + change * (np.arange(len(figures)) >= reference + 20)
    after = alarmed(changed, np.full(len(figures), error), dates, reference, together)[20:]
    return int(np.argmax(after)) + 1 if after.any() else 99


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=22, help="years of each kind; 95 nights are judged of each")
    parser.add_argument("--streams", type=int, default=300)
    parser.add_argument("--lasting", type=float, default=0.3, help="correlation of a night's shock with the next one's")
    parser.add_argument("--only", default="", help="parts whose name holds this")
    options = parser.parse_args()
    parts = {
        "81 columns": lambda: simulate_nights(81, options.runs, options.lasting),
        "2000 columns": lambda: simulate_nights(2000, options.runs, options.lasting),
        "windows": lambda: simulate_windows(81, options.runs, options.lasting),
        "streams": lambda: simulate_streams(options.streams, 100, 180, options.lasting),
        "flights": blocks_of_flights,
    }
    for name, part in parts.items():
        if options.only in name:
            started = time.monotonic()
            print(f"{name}, shocks lasting {options.lasting}", flush=True)
            for line in part():
                print(f"  {line}", flush=True)
            print(f"  {time.monotonic() - started:.0f} s", flush=True)


if __name__ == "__main__":
    main()
