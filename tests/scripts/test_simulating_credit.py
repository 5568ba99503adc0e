"""The simulated lender: its rates are those of its truth, and its days are the same however they are written."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from math import erf, sqrt
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sklearn.linear_model import LogisticRegression

from credit.decisions import APPROVE, EXCEPTIONS, LEAST_SCORE, REVIEW, Night, approve, no_nights, treatments
from credit.files import OtherWorldError, read_world, write_days, write_truth
from credit.world import (
    DEFAULTED,
    DRIFT_OF_AMOUNTS,
    HORIZON_DAYS,
    SCORE_MEAN,
    SCORE_NOISE,
    SCORE_SCALE,
    World,
    days_between,
    draw_applicants,
    draw_applications,
)
from nightjar.config import compose_job, make_settings
from nightjar.evaluation.binary import log_losses
from nightjar.evaluation.clusters import Clusters
from nightjar.evaluation.slices.comparing import compare_all
from nightjar.evaluation.slices.finding import find_slices
from nightjar.registry import events
from nightjar.registry.events import Version
from nightjar.settings.jobs import JobName
from nightjar.settings.serving.canary import Canary
from nightjar.tables import arrow
from nightjar.tables.score_definitions import scores_table
from nightjar.tables.warehouse import Warehouse
from simulating_credit import nights_of

ROOT = Path(__file__).resolve().parents[2]
FIRST = date(2024, 1, 1)
DRIFT = date(2024, 7, 1)
YEAR = days_between(FIRST, date(2024, 12, 31))
LIMIT = 4
"""Standard errors, beyond which chance leads once in 16,000 times; the seed is fixed."""


def drawn(world, days=YEAR):
    """All applications of some days: column -> values, and what else tells them apart."""
    applicants = draw_applicants(world)
    of_days = [draw_applications(world, applicants, day) for day in days]
    names = ["amount", "bureau_score", "default_probability", "outcome", "is_in_planted_slice", "applicant"]
    names += ["stated_income", "purpose", "channel", "employment"]
    rows = {name: np.concatenate([getattr(one, name) for one in of_days]) for name in names}
    rows["approved"] = np.concatenate([approve(world, one, no_nights) for one in of_days])
    rows["defaulted"] = rows["outcome"] == DEFAULTED
    rows["is_woman"] = applicants.is_woman[rows["applicant"]]
    rows["night"] = np.repeat(np.arange(len(days)), [len(one) for one in of_days])
    rows["shock"] = np.array([one.shock for one in of_days])
    return rows


@pytest.fixture(scope="module")
def year():
    return drawn(World(FIRST))


def errors_from(expected, happened):
    """By how many standard errors so many of what has these chances differ from their sum."""
    return (happened.sum() - expected.sum()) / np.sqrt((expected * (1 - expected)).sum())


def test_as_many_default_as_the_true_probabilities_say_whoever_applies(year):
    chance, defaulted = year["default_probability"], year["defaulted"]
    assert chance.mean() == pytest.approx(0.122, abs=0.005)
    for group in (np.full(len(chance), True), year["is_woman"], ~year["is_woman"], year["is_in_planted_slice"]):
        assert abs(errors_from(chance[group], defaulted[group])) < LIMIT


def test_the_planted_unfairness_is_in_the_scores_and_the_rule_and_not_in_the_risk(year):
    """The rule refuses as many more of those whose scores are too low as the normal distribution says."""
    women, scale = year["is_woman"], SCORE_SCALE * sqrt(1 + SCORE_NOISE**2)
    fair, chance = year["default_probability"], year["approved"]
    spread = sqrt(fair.var() * (1 / women.sum() + 1 / (~women).sum()))
    assert abs(fair[women].mean() - fair[~women].mean()) < LIMIT * 2 * spread  # who comes again counts more than once
    below = year["bureau_score"] < LEAST_SCORE
    expected = [
        0.5 * (1 + erf((LEAST_SCORE - 0.5 - SCORE_MEAN + lower) / scale / sqrt(2))) for lower in (World.unfairness, 0)
    ]
    for group, share in zip((women, ~women), expected, strict=True):
        applicants = len(np.unique(year["applicant"][group]))
        assert abs(below[group].mean() - share) < LIMIT * sqrt(share * (1 - share) / applicants)
    assert chance[~women].mean() - chance[women].mean() > 0.08
    even = drawn(World(FIRST, unfairness=0), YEAR[:90])
    assert abs(even["approved"][even["is_woman"]].mean() - even["approved"][~even["is_woman"]].mean()) < 0.03


def test_the_planted_slice_is_found_on_some_nights_and_confirmed_on_others(year):
    """By losses of a logistic regression on what is recorded, fitted on the first half of the year."""
    categories = ["purpose", "channel", "employment"]
    numbers = np.column_stack([year["bureau_score"] / 100, np.log(year["amount"] / year["stated_income"])])
    flags = [year[name] == value for name in categories for value in np.unique(year[name])]
    inputs, night = np.column_stack([numbers, *flags]), year["night"]
    model = LogisticRegression(max_iter=1000).fit(inputs[night < 180], year["defaulted"][night < 180])
    loss = log_losses(year["defaulted"], model.predict_proba(inputs)[:, 1])
    columns = pa.table({name: year[name] for name in [*categories, "amount", "stated_income", "bureau_score"]})
    searched, judged = (np.flatnonzero((night >= first) & (night < last)) for first, last in ((180, 270), (270, 366)))
    clusters = [
        Clusters(np.unique(year["applicant"][rows], return_inverse=True)[1], night[rows] - night[rows].min())
        for rows in (searched, judged)
    ]
    slices = find_slices(columns.take(searched), loss[searched], clusters[0], least_rows=100)
    compared = compare_all(slices, columns.take(judged), loss[judged], clusters[1], None, least_rows=100)
    worse = [one for one, beside in zip(slices, compared, strict=True) if beside.is_worse]
    planted = year["is_in_planted_slice"][judged]
    assert planted.mean() == pytest.approx(0.03, abs=0.004)
    of_slices = [one.of(columns.take(judged)) for one in worse]
    assert max((rows & planted).sum() / (rows | planted).sum() for rows in of_slices) >= 0.9


def test_applications_of_a_night_share_a_shock(year):
    """The number of defaults varies more from night to night than independent rows would let it."""
    chance, night = year["default_probability"], year["night"]
    of_night = [np.bincount(night, values) for values in (year["defaulted"], chance, chance * (1 - chance))]
    happened, expected, variance = of_night
    assert np.mean((happened - expected) ** 2 / variance) == pytest.approx(1, abs=LIMIT * sqrt(2 / len(happened)))
    across = np.mean((happened - np.bincount(night) * chance.mean()) ** 2 / variance)
    assert across > 1.3
    assert np.corrcoef(year["shock"], happened / np.bincount(night))[0, 1] > 0.4


def test_a_drift_is_as_large_as_it_is_said_and_changes_nothing_before_it(year):
    drifted = drawn(World(FIRST, drift_from=DRIFT))
    after = year["night"] >= (DRIFT - FIRST).days
    for name in ("amount", "default_probability", "bureau_score"):
        assert np.array_equal(drifted[name][~after], year[name][~after])
    assert drifted["amount"][after].mean() / year["amount"][after].mean() == pytest.approx(DRIFT_OF_AMOUNTS, rel=1e-3)
    log_odds = [np.log(one / (1 - one)) for one in (drifted["default_probability"], year["default_probability"])]
    np.testing.assert_allclose(np.subtract(*log_odds)[after & ~year["is_in_planted_slice"]], 0.8, atol=1e-9)
    assert abs(errors_from(drifted["default_probability"][after], drifted["defaulted"][after])) < LIMIT


SMALL, LAST = World(FIRST, applications=10), FIRST + timedelta(days=HORIZON_DAYS + 20)
"""Over more than a horizon, so that instalments of loans from long before fall on the later days."""


@pytest.fixture(scope="module")
def at_once(tmp_path_factory):
    folder = tmp_path_factory.mktemp("credit")
    assert len(write_days(folder, SMALL, LAST, no_nights)) == HORIZON_DAYS + 21
    return folder


def files(folder, name="*"):
    return {
        file.relative_to(folder): pq.read_table(file, partitioning=None)
        for file in sorted(folder.rglob(f"{name}.parquet"))
    }


def test_days_are_the_same_at_once_and_one_by_one(at_once, tmp_path):
    for until in [FIRST, *days_between(LAST - timedelta(days=4), LAST)]:
        write_days(tmp_path, SMALL, until, no_nights)
    assert write_days(tmp_path, SMALL, LAST, no_nights) == []
    assert files(tmp_path) == files(at_once)


def test_outcomes_of_approved_loans_alone_are_written_and_are_the_true_ones(at_once, tmp_path):
    write_truth(tmp_path / "truth.parquet", SMALL, LAST)
    truth = pq.read_table(tmp_path / "truth.parquet").to_pandas().set_index("application_id")
    applications, repayments, incomes = (
        pa.concat_tables(files(at_once, name).values()).to_pandas().set_index("application_id")
        for name in ("applications", "repayments", "incomes")
    )
    outcomes = repayments["outcome"].dropna()
    assert outcomes.index.is_unique
    assert outcomes.to_dict() == truth["outcome"].loc[outcomes.index].to_dict()
    settled = applications[applications["applied_on"] <= LAST - timedelta(days=HORIZON_DAYS)]
    refused = settled.loc[settled.index.difference(outcomes.index)]
    assert 0.1 < len(refused) / len(settled) < 0.3
    assert ((refused["bureau_score"] < LEAST_SCORE) | (refused["amount"] > 6 * refused["stated_income"])).all()
    corrected = incomes[incomes["is_verified"]]
    assert (corrected["income"] == truth["income"].loc[corrected.index]).all()
    assert (corrected["reported_on"] - corrected["applied_on"]).map(lambda one: one.days).between(5, 60).all()


TIERS = np.array(["reject", "reject", REVIEW, None], dtype=object)


def test_scores_of_a_night_decide_and_the_rule_where_there_is_none():
    world = World(FIRST)
    applications = draw_applications(world, draw_applicants(world), FIRST)
    by_rule, who, half = approve(world, applications, no_nights), applications.applicant, len(applications) // 2
    tiers, is_drawn = (np.tile(one, half)[:half].tolist() for one in (TIERS, [False, True, False, False]))
    treatment = treatments(tiers, is_drawn)
    assert treatment[:4] == ["reject", APPROVE, REVIEW, APPROVE]
    night = Night(who[:half][::-1], np.array(treatment)[::-1])
    approved = approve(world, applications, {FIRST + timedelta(days=1): night}.get)
    reviewed = applications.default_probability[:half] <= 0.15
    expected = (np.array(treatment) == APPROVE) | ((np.array(treatment) == REVIEW) & reviewed)
    assert np.array_equal(approved[:half], expected)
    assert np.array_equal(approved[half:], by_rule[half:])
    refused = (applications.bureau_score < LEAST_SCORE).mean()
    assert 1 - by_rule.mean() <= refused * (1 - EXCEPTIONS) + 0.1


def test_of_a_night_those_decide_who_serve_and_have_tiers(tmp_path):
    """Not the champion where the challenger serves, nor a baseline that stands in."""
    project = make_settings(compose_job(ROOT / "conf", JobName.SCORE, ["project=credit", f"run_date={FIRST}"])).project
    project = replace(project, serving=replace(project.serving, canary=Canary([0.5])))
    warehouse = Warehouse(str(tmp_path), "credit")
    for number, thresholds in (("1", ["fitted"]), ("2", ["fitted"]), ("3", [])):
        events.record(warehouse, "registered", Version(number, "any", FIRST, {"thresholds": thresholds}), "t")
    rows = [
        (11, "champion", "1", False, "reject"),
        (11, "challenger", "2", True, None),
        (12, "champion", "1", True, "reject"),
        (12, "challenger", "2", False, None),
        (13, "champion", "3", True, None),
        (14, "champion", "rule", True, "review"),
        (15, "champion", "1", None, REVIEW),
    ]
    key = pa.schema([("applicant_id", pa.int64())])
    names = ("applicant_id", "role", "model_version", "served", "tier")
    of_all = {"assignment": "score", "run_date": FIRST, "prediction_time": datetime(2024, 1, 1, tzinfo=UTC)}
    scores = [dict(zip(names, row, strict=True)) | of_all for row in rows]
    arrow.append(warehouse, scores_table(project, key), scores, "t")
    night = nights_of(str(tmp_path))(FIRST)
    decided = dict(zip(night.applicant.tolist(), night.treatment.tolist(), strict=True))
    assert decided == {11: APPROVE, 12: "reject", 14: "review", 15: REVIEW}
    assert nights_of(str(tmp_path))(FIRST + timedelta(days=1)) is None


def test_a_folder_is_of_one_world_in_which_a_drift_may_still_begin(tmp_path):
    world = World(FIRST, applications=3)
    write_days(tmp_path, world, FIRST + timedelta(days=2), no_nights)
    with pytest.raises(OtherWorldError, match=r"has days up to 2024-01-03 of seed=0, but seed=1 is asked for"):
        write_days(tmp_path, replace(world, seed=1), FIRST + timedelta(days=3), no_nights)
    with pytest.raises(OtherWorldError, match="drift_from=None, but drift_from=2024-01-03"):
        write_days(tmp_path, replace(world, drift_from=date(2024, 1, 3)), FIRST + timedelta(days=3), no_nights)
    drifting = replace(world, drift_from=date(2024, 1, 4))
    assert write_days(tmp_path, drifting, FIRST + timedelta(days=3), no_nights) == [date(2024, 1, 4)]
    assert read_world(tmp_path) == drifting
    with pytest.raises(OtherWorldError, match="drift_from=2024-01-04, but drift_from=None"):
        write_days(tmp_path, world, FIRST + timedelta(days=4), no_nights)
