"""Challengers of the simulated lender, night by night: a better one becomes champion, one that does harm goes back.

What a decision is worth is real here: whom a challenger refuses gets no loan, and has no outcome. The champion is too
careful, as a lender may be whose tiers were fitted for another purpose, and refuses almost everybody.
"""

import json
import shutil
from collections import Counter
from datetime import timedelta
from types import SimpleNamespace

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from credit.decisions import REVIEWED_UP_TO
from credit.files import write_truth
from credit.world import DEFAULTED
from nightjar.evaluation.sequential import FEWEST
from nightjar.tables import arrow
from nightjar.tables.warehouse import Warehouse
from oracles import experiments as oracle
from system import tree
from system.lender import NIGHT, SEARCH, WORLD, build, run, write_files

pytestmark = [pytest.mark.long, pytest.mark.starts_processes, pytest.mark.timeout(3600)]

UNUSED = [
    *("amount", "stated_income", "score", "score_band", "amount_to_income", "stated_to_least", "income__least_365d"),
    *("application__amounts_180d", "repayment__mean_late_365d", "repayment__most_late_365d"),
]
CAREFUL = [
    "project.tiers.reject={kind: recall, at_least: 0.99}",
    f"search.candidates.logistic.drop=[{','.join(UNUSED)}]",
]
"""It refuses almost everybody, and knows little: what comes after it is better by the gates, too."""
STEPS, LASTS, WORST, BEST = (0.3, 0.5), 3, 2000, 500
"""What a loan counts at most, as a loss and as a margin, stands in the settings."""
TRIAL = [
    *("+project/parts@project=experiment", f"project.serving.canary.steps={[*STEPS]}"),
    *("project.serving.experiment.effect=150", "project.serving.experiment.entities=47"),
    "project.serving.abstention.error=null",
]
AGE = 183
"""Days until what an applicant of a night is worth counts: the horizon of 26 weeks, and the exposure."""
DAY, TRIED = timedelta(days=1), 14
BEGIN, LAST = NIGHT + DAY, NIGHT + TRIED * DAY
JUDGED, AGAIN = LAST + AGE * DAY, LAST + (AGE + 1) * DAY
ENDED = AGAIN + 6 * DAY


def try_challengers(folder, spark):
    """Version 2 is champion, 3 challenges it and wins; half a year later 2 challenges 3 and does harm."""

    def nights(first, last, *settings):
        write_files(folder, last)
        run(folder, spark, "nightly", *SEARCH, *TRIAL, f"run_date={first}..{last}", *settings)

    run(folder, spark, "train", *SEARCH, f"run_date={NIGHT}", *CAREFUL)
    approval = ("action=approve", "version=2", "reason=fewer losses")
    run(folder, spark, "promote", f"run_date={BEGIN}", *approval)  # without a canary: it is champion at once
    nights(BEGIN, BEGIN, "force=[train,promote]")
    nights(BEGIN + DAY, LAST)
    nights(JUDGED, JUDGED)
    challenge = ("action=challenge", "version=2", "reason=fewer losses")
    run(folder, spark, "promote", *TRIAL, f"run_date={AGAIN}", *challenge)
    nights(AGAIN, ENDED)


@pytest.fixture(scope="module")
def lender(tmp_path_factory, spark, ray_started):
    """The warehouse after all of it, and the truth."""
    built = tree.once(tmp_path_factory, "credit", lambda folder: build(folder, spark))
    folder = tmp_path_factory.mktemp("challengers") / "credit"
    later = [f"day={NIGHT + number * DAY}" for number in range(365)]  # what other tests have simulated on
    shutil.copytree(built, folder, ignore=lambda _, names: {*names} & {*later})
    try_challengers(folder, spark)
    return SimpleNamespace(folder=folder, warehouse=Warehouse(f"{folder}/warehouse", "credit"))


def rows_of(lender, table, *columns):
    return arrow.read(lender.warehouse, table, [*columns]).to_pylist()


def events_of(lender):
    """Event -> version, night from which it holds, and what is recorded of it, of those since the first challenge."""
    names = ("event", "model_version", "holds_from", "evidence")
    rows = [[row[name] for name in names] for row in rows_of(lender, "model_events", *names)]
    return {event: (version, night, json.loads(text)) for event, version, night, text in rows if night > BEGIN}


def challenged(lender):
    """The rows of nights on which somebody challenges, in order."""
    names = ("run_date", "role", "applicant_id", "prediction_id", "model_version", "served", "arm", "arm_propensity")
    rows = rows_of(lender, "scores", *names, "tier", "assignment", "abstained")
    return sorted((row for row in rows if row["arm"] is not None), key=lambda row: row["run_date"])


def test_a_row_is_served_once_by_its_entitys_arm_which_changes_only_as_the_share_grows(lender):
    _, grown, _ = events_of(lender)["shared"]
    rows = challenged(lender)
    served = Counter(row["prediction_id"] for row in rows if row["served"])
    assert served == dict.fromkeys((row["prediction_id"] for row in rows), 1)
    arms = {}
    for row in rows:
        night, arm, is_first = row["run_date"], row["arm"], row["run_date"] <= JUDGED
        share = STEPS[1] if grown <= night <= JUDGED else STEPS[0]
        assert row["arm_propensity"] == (share if arm == "challenger" else 1 - share)
        assert row["served"] == (row["role"] == arm)
        assert row["model_version"] == ("2" if (row["role"] == "champion") == is_first else "3")
        before, since = arms.setdefault((is_first, row["applicant_id"]), (arm, night))
        assert arm == before or (before == "champion" and since < grown <= night)
        arms[is_first, row["applicant_id"]] = (arm, night)
    nights = Counter((row["role"], row["run_date"]) for row in rows)
    assert len(rows) == sum(max(count, nights["champion", night]) for (_, night), count in nights.items())
    assert (
        0.4
        < sum(row["arm"] == "challenger" for row in rows if grown <= row["run_date"] <= JUDGED)
        / sum(grown <= row["run_date"] <= JUDGED for row in rows)
        < 0.6
    )


def test_the_share_grows_once_its_nights_are_over_and_the_guard_has_entities_enough(lender):
    version, grown, evidence = events_of(lender)["shared"]
    first = {}
    for row in challenged(lender):
        first.setdefault(row["applicant_id"], row)
    drawn = Counter(row["run_date"] for row in first.values() if row["arm"] == "challenger")
    night = BEGIN + LASTS * DAY  # its monitor looks at what was known before it
    while sum(count for day, count in drawn.items() if day < night) < FEWEST:
        night += DAY
    assert (version, grown) == ("3", night + DAY)
    assert evidence["share"] == STEPS[1]


def truth_of(lender):
    """What each application was worth if it was approved, by applicant and night, and the true chance of default."""
    write_truth(lender.folder / "truth.parquet", WORLD, LAST)
    truth = pq.read_table(lender.folder / "truth.parquet").to_pandas().set_index("application_id")
    files = (lender.folder / "days" / f"day={BEGIN + number * DAY}" for number in range(-1, TRIED - 1))
    filed = pa.concat_tables(
        pq.read_table(one / "applications.parquet", partitioning=None) for one in files
    ).to_pandas()
    filed = filed.join(truth, on="application_id")
    worth = filed["amount"].mul(0.1).clip(upper=BEST)
    worth = worth.where(filed["outcome"] != DEFAULTED, -filed["amount"].mul(0.6).clip(upper=WORST))
    keys = zip(filed["applicant_id"], filed["applied_on"] + DAY, strict=True)
    return dict(zip(keys, zip(worth, filed["default_probability"], strict=True), strict=True))


def worth_of(row, truth):
    """What a served row turned out to be worth: people approve whom they would approve if they knew the chance."""
    worth, chance = truth[row["applicant_id"], row["run_date"]]
    by_people = row["tier"] in ("review", "people") and chance <= REVIEWED_UP_TO
    return worth if row["tier"] is None or row["assignment"] != "score" or by_people else 0.0


def test_what_is_shown_of_the_better_one_is_what_the_simulator_knows_and_it_becomes_champion(lender):
    truth = truth_of(lender)
    rows = [
        {
            "entity": row["applicant_id"],
            "night": row["run_date"],
            "served": True,
            "arm": row["arm"],
            "chance": row["arm_propensity"],
            "value": lambda _, row=row: worth_of(row, truth),
        }
        for row in challenged(lender)
        if row["served"]
    ]
    entities, waiting, changed = oracle.enrol(rows, BEGIN, JUDGED, 1, AGE)
    nights, of_nights = oracle.evidence(entities)
    (value,) = figures(lender, JUDGED, "value")
    assert (value["waiting"], value["changed"], value["last_night"]) == (waiting, changed, nights[-1])
    assert value["champion_entities"] + value["challenger_entities"] == len(entities)
    assert value["difference"] == pytest.approx(of_nights[-1][0])
    assert (value["verdict"], value["low"] > 0) == ("better", True)
    version, night, evidence = events_of(lender)["promoted"]
    assert (version, night) == ("3", AGAIN)
    assert evidence["experiment"][0]["verdict"] == "better"


def figures(lender, night, figure):
    of_night = (pc.field("run_date") == night) & (pc.field("figure") == figure)
    return arrow.read(lender.warehouse, "experiments", None, of_night).to_pylist()


def test_one_that_does_harm_is_rolled_back_with_an_alert_and_serves_nobody_from_the_next_night_on(lender):
    version, night, evidence = events_of(lender)["rolled_back"]
    assert version == "2"
    assert [one["verdict"] for one in evidence["experiment"]] == ["open", "breached"]
    (refused,) = figures(lender, night - DAY, "refused")
    assert min(refused["champion_entities"], refused["challenger_entities"]) >= FEWEST
    assert 0.1 < refused["low"] < refused["difference"]
    assert AGAIN + 2 * DAY < night < ENDED
    names = ("severity", "run_date", "subject", "state")
    alerts = [row for row in rows_of(lender, "alerts", "kind", *names) if row["kind"] == "rollback"]
    raised = [[row[name] for name in names] for row in alerts if row["state"] != "resolved"]
    assert raised == [["critical", night - DAY, "version 2", "new"]]
    served = rows_of(lender, "scores", "run_date", "model_version", "served", "arm", "role")
    after = [row for row in served if row["run_date"] >= night]
    assert {(row["role"], row["model_version"], row["served"], row["arm"]) for row in after} == {
        ("champion", "3", True, None)
    }
    assert not figures(lender, night, "refused")


def test_the_nights_page_and_its_verdict_say_it(lender):
    _, after, _ = events_of(lender)["rolled_back"]
    verdicts = {row["run_date"]: row for row in rows_of(lender, "verdicts", "run_date", "verdict", "sentence")}
    assert verdicts[after - DAY]["verdict"] == "act"
    assert "Challenger 2 (logistic-1) is rolled back" in verdicts[after - DAY]["sentence"]

    def page(night):
        return (lender.folder / "warehouse" / "credit" / "reports" / f"night-{night}.html").read_text()

    assert "better since" in page(JUDGED)
    assert "Version 3 beside the champion" in page(JUDGED)
    assert "breached since" in page(after - DAY)
    assert "beside the champion" not in page(after)
