"""What is said of a night's drift: planted changes are one signal each, and nights without one are quiet."""

import re
from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pyarrow as pa
import pytest

from nightjar.evaluation.histograms import Bins, count, fit_bins
from nightjar.evaluation.nulls import fit_null
from nightjar.masking.values import NOTHING_HIDDEN, Masking
from nightjar.monitoring import drift_figures
from nightjar.monitoring.drift_history import History
from nightjar.monitoring.drift_judging import judge
from nightjar.monitoring.drift_references import Reference, References
from nightjar.monitoring.drift_signals import UNIMPORTANT, Drifted, moved, signal_by_subject, signals
from nightjar.monitoring.night_counts import Night
from nightjar.monitoring.signals import Kind, State
from nightjar.settings.monitoring.drift import Drift, DriftThreshold

FIRST, NIGHTS, ROWS = date(2024, 1, 1), 120, 400
TONIGHT = FIRST + timedelta(days=NIGHTS + 10)
NAMES = ("rate_7d", "rate_28d", "miles", "site", "load")
SHARES = {"rate_7d": 0.3, "rate_28d": 0.2, "miles": 0.1, "site": 0.0, "load": 0.4, "score": None}


def rows_of_night(random, rate=0.0):
    """A night's rows by column: the rates share a shock of the night, `miles` has none."""
    shock = 0.1 * random.normal() + rate
    return {
        "rate_7d": shock + random.normal(size=ROWS),
        "rate_28d": shock + random.normal(size=ROWS),
        "miles": 100 + 20 * random.normal(size=ROWS),
        "site": np.array(["north", "south"])[(random.random(ROWS) < 0.4).astype(int)],
        "load": random.random(ROWS),
        "score": random.random(ROWS),
    }


@pytest.fixture(scope="module")
def world():
    """References of 120 nights, their null, and counts of the nights."""
    random = np.random.default_rng(0)
    nights = [rows_of_night(random) for _ in range(NIGHTS)]
    subjects, counts = {}, {}
    for name, share in SHARES.items():
        whole = pa.array(np.concatenate([night[name] for night in nights]))
        bins = fit_bins(whole, bins=20)
        counts[name] = np.array([count(bins, pa.array(night[name])) for night in nights])
        moments = (None, None) if name == "site" else (float(np.mean(whole)), float(np.std(whole)))
        subjects[name] = Reference(bins, counts[name].sum(axis=0), importance=share, mean=moments[0], std=moments[1])
    dates = [FIRST + timedelta(days=number) for number in range(NIGHTS)]
    families = {"all columns": NAMES, "all scores": ("score",)}
    nulls = {
        family: fit_null(dates, {name: counts[name] for name in names}, gap_days=7, oldest_days=30).to_json()
        for family, names in families.items()
    }
    return References("1", subjects, nulls), counts


def say(world, rows, settings=None, failures=None, slices=None, shares=None, masking=NOTHING_HIDDEN, before=()):
    """The signals of a night after others, by kind and subject."""
    references, nights = world
    if shares:
        changed = {name: replace(references.subjects[name], importance=share) for name, share in shares.items()}
        references = replace(references, subjects={**references.subjects, **changed})
    night = Night(
        ROWS,
        {name: count(references.subjects[name].bins, pa.array(values)) for name, values in rows.items()},
        moments={
            name: (float(np.mean(one)), float(np.std(one))) for name, one in rows.items() if one.dtype.kind == "f"
        },
        slices=slices or {},
        failures=failures or {},
    )
    figures = {
        name: drift_figures.distances(references.subjects[name], counts)
        for name, counts in night.counts.items()
        if name not in night.failures
    }
    counts = {
        name: {
            TONIGHT - timedelta(back): count(reference.bins, pa.array(own[name]))
            for back, own in enumerate(reversed(before), 1)
        }
        for name, reference in references.subjects.items()
    }
    assessments = judge(references, night, figures, History(counts=counts), settings or Drift(), TONIGHT)
    own = {name: nights[name] for name in moved(assessments, references)}
    declared = [] if settings is None else [*settings.columns, *settings.thresholds]
    looks = {name: f"jobs/profile.py source={name}" for name in NAMES}
    drifted = Drifted(
        references, night, assessments, History(), own, TONIGHT, "jobs/train.py", declared, looks, masking
    )
    return list(signals(drifted))


def test_a_night_like_the_others_is_quiet(world):
    """One signal for all columns, one for all scores, one for their types."""
    said = say(world, rows_of_night(np.random.default_rng(1)))
    assert [(one.kind, one.subject, one.state) for one in said] == [
        (Kind.SCHEMA, "all columns", State.OK),
        (Kind.COVARIATE, "all columns", State.OK),
        (Kind.PREDICTION, "all scores", State.OK),
    ]


def test_a_small_change_that_lasts_is_one_of_several_nights(world):
    """The rates are higher by 1.5 night deviations on five nights in turn: the last one alone is as usual."""
    random = np.random.default_rng(4)
    nights = [rows_of_night(random, rate=0.15) for _ in range(5)]
    alone, after = (say(world, nights[-1], Drift(windows=[5]), before=before) for before in ((), nights[:-1]))
    assert {one.state for one in alone} == {State.OK}
    moved_on = {one.subject: one.sentence for one in after if one.state is not State.OK}
    assert set(moved_on) == {"rate_7d", "rate_28d"}
    assert all("on average of 5 nights" in sentence for sentence in moved_on.values())


def test_columns_that_move_together_are_one_signal_with_what_the_model_uses_of_them(world):
    said = say(world, rows_of_night(np.random.default_rng(2), rate=1.5))
    (one,) = [one for one in said if one.kind is Kind.COVARIATE]
    assert (one.subject, one.state) == ("rate_*", State.ACT)
    assert one.evidence["columns"] == ["rate_7d", "rate_28d"]  # it uses more of the first
    assert one.evidence["importance"] == pytest.approx(0.5)
    number = r"-?[0-9.]+"
    assert re.fullmatch(
        rf"rate_7d is (from )?{number}( to {number}|, more than ever in training,) in [0-9]+% of the rows, in training "
        r"in [0-9]+%; 1 other column moved with it\. The model takes 50% of what it uses from them\.",
        one.sentence,
    )
    assert one.command == "jobs/profile.py source=rate_7d"  # to look comes first: what to train is for others to say
    assert one.since == TONIGHT
    assert {name: of.subject for name, of in signal_by_subject(said).items()} == dict.fromkeys(
        ("rate_7d", "rate_28d"), "rate_*"
    )


def test_a_changed_unit_is_one_of_the_system_s_and_not_of_the_world(world):
    rows = rows_of_night(np.random.default_rng(3))
    (one,) = [one for one in say(world, rows | {"miles": 1.609 * rows["miles"]}) if one.state is State.ACT]
    assert (one.kind, one.subject) == (Kind.UPSTREAM, "unit of miles")
    assert "as if miles became kilometres" in one.sentence


def test_what_the_model_does_not_use_is_said_and_wakes_nobody(world):
    west = np.where(np.arange(ROWS) < ROWS // 2, "west", "south")
    rows = rows_of_night(np.random.default_rng(4)) | {"site": west}
    (one,) = [one for one in say(world, rows) if one.kind is Kind.COVARIATE]
    assert (one.subject, one.state, one.command, one.since) == (UNIMPORTANT, State.OK, None, None)
    assert one.sentence == "Moved, but with little to lose: site, which the model does not use."
    assert one.evidence["columns"] == ["site"]


def test_levels_of_sensitive_columns_are_not_named(world):
    """Neither those of a column that moved, nor those of slices that explain a change."""
    west = np.where(np.arange(ROWS) < ROWS // 2, "west", "south")
    rows = rows_of_night(np.random.default_rng(4)) | {"site": west}
    open_one, hidden_one = (
        next(one for one in say(world, rows, shares={"site": 0.5}, masking=masking) if one.subject == "site")
        for masking in (NOTHING_HIDDEN, Masking(frozenset({"site"})))
    )
    assert "site is north in " in open_one.sentence
    assert "site is (masked) in " in hidden_one.sentence
    assert [one["bin"] for one in hidden_one.evidence["bins"]] == ["(masked)", "(masked)"]
    assert hidden_one.evidence["greatest"] == open_one.evidence["greatest"]


@pytest.mark.parametrize(
    ("share", "state"),
    [(None, State.ACT), (0.1, State.ACT), (0.099, State.WATCH), (0.01, State.WATCH), (0.009, State.OK)],
)
def test_how_bad_a_change_can_be_follows_from_what_the_model_uses(world, share, state):
    """Two columns of 0.009 are 0.018 together, and to be watched."""
    rows = rows_of_night(np.random.default_rng(4))
    rows["miles"] = rows["miles"] + 60
    (one,) = [one for one in say(world, rows, shares={"miles": share}) if one.kind is Kind.COVARIATE]
    assert one.state is state
    words = "miles is 133 to 194.6 in 84% of the rows, in training in 5%."
    assert one.sentence.startswith(words) == (one.subject == "miles") == (share != 0.009)
    rows["site"] = np.where(np.arange(ROWS) < ROWS // 2, "west", "south")
    said = say(world, rows, shares={"miles": share, "site": 0.009})
    (other,) = [one for one in said if one.subject == UNIMPORTANT]
    assert other.state is (State.WATCH if share == 0.009 else State.OK)


def test_what_is_declared_to_matter_does_whatever_the_model_uses(world):
    rows = rows_of_night(np.random.default_rng(4))
    rows["miles"] = rows["miles"] + 60
    said = say(world, rows, Drift(columns=["miles"]), shares={"miles": 0.0})
    assert [(one.subject, one.state) for one in said if one.kind is Kind.COVARIATE] == [("miles", State.ACT)]


@pytest.mark.parametrize(("share", "state"), [(0.1, State.ACT), (0.01, State.ACT), (0.0, State.WATCH)])
def test_a_fault_of_what_sends_a_column_is_one_step_worse(world, share, state):
    """A tenth of the rows with a code for no value, and no value at all."""
    rows = rows_of_night(np.random.default_rng(4))
    coded = rows | {"miles": np.where(np.arange(ROWS) < ROWS // 10, -9999.0, rows["miles"])}
    (one,) = [one for one in say(world, coded, shares={"miles": share}) if one.kind is Kind.COVARIATE]
    assert (one.subject, one.state) == ("miles", state)
    assert one.sentence.startswith("miles: its mean is far outside anything in training. ")


def test_a_slice_that_makes_most_of_a_change_is_named(world):
    references, nights = world
    random = np.random.default_rng(5)
    is_north = random.random(ROWS) < 0.3
    rows = rows_of_night(random)
    rows["load"] = np.where(is_north, 0.95, rows["load"])
    reference = references.subjects["load"]
    uniform = reference.counts // 2
    sliced = replace(reference, slices={"site=north": uniform, "site=south": uniform})
    subjects = {**references.subjects, "load": sliced}
    parts = {"site=north": rows["load"][is_north], "site=south": rows["load"][~is_north]}
    slices = {"load": {name: count(reference.bins, pa.array(values)) for name, values in parts.items()}}
    for masking, name in ((NOTHING_HIDDEN, "site=north"), (Masking(frozenset({"site"})), "site=(masked)")):
        said = say((replace(references, subjects=subjects), nights), rows, slices=slices, masking=masking)
        (one,) = [one for one in said if one.kind is Kind.COVARIATE]
        assert [of["slice"] for of in one.evidence["slices"]] == [name]
        assert one.evidence["slices"][0]["of_change"] == pytest.approx(1, abs=0.15)
        assert f"{name} makes " in one.sentence


def test_a_column_of_another_type_fails_alone(world):
    rows = rows_of_night(np.random.default_rng(6))
    load = rows.pop("load")
    assert len(load)
    said = say(world, rows, failures={"load": "the table has no such column any more"})
    states = {(one.kind, one.subject): one.state for one in said}
    assert states == {
        (Kind.SCHEMA, "load"): State.ACT,
        (Kind.COVARIATE, "all columns"): State.OK,
        (Kind.PREDICTION, "all scores"): State.OK,
    }


def test_own_thresholds_and_the_columns_that_matter_decide_before_the_null(world):
    rows = rows_of_night(np.random.default_rng(2), rate=1.5)
    strict = Drift(columns=["load", "miles"], thresholds={"score": DriftThreshold(watch=1e-6)})
    said = {(one.kind, one.subject): one for one in say(world, rows, strict)}
    assert said[Kind.COVARIATE, "all columns"].state is not State.ACT
    assert said[Kind.PREDICTION, "score"].state is State.WATCH
    assert "beyond its own threshold" in said[Kind.PREDICTION, "score"].sentence


def test_since_is_the_first_of_the_nights_in_turn_that_were_to_be_looked_at():
    nights = [TONIGHT - timedelta(days=days) for days in (5, 3, 2, 1)]  # a night without scores between
    history = History(states={"x": dict(zip(nights, ("act", "ok", "watch", "act"), strict=True))})
    assert history.since(["x"], TONIGHT) == nights[2]
    assert history.since(["y"], TONIGHT) == TONIGHT
    assert Bins("numeric", (1.0,)).size == 3
