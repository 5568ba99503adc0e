"""The simulated lender from its files to decisions: what the project stores is compared with the simulator's truth."""

import re
from datetime import timedelta
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from credit.decisions import PEOPLE, REVIEW, REVIEWED_UP_TO
from credit.files import write_days
from credit.world import DEFAULTED
from nightjar.config import compose_job, make_settings
from nightjar.learning.search.feasibility import require_feasible
from nightjar.masking.values import MASK
from nightjar.registry import events
from nightjar.registry.gates.fairness import judge_fairness
from nightjar.registry.gates.outcome import Verdict
from nightjar.settings.jobs import JobName
from nightjar.settings.promotion import Fairness, Promotion
from nightjar.tables import arrow
from nightjar.tables.warehouse import Warehouse
from nightjar.timeline import parse_run_date
from simulating_credit import nights_of
from system import tree
from system.lender import FILES, NIGHT, ROOT, WORLD, build

pytestmark = pytest.mark.starts_processes

ZONE = "Europe/Paris"


@pytest.fixture(scope="module")
def lender(tmp_path_factory, spark, ray_started):
    """The folder, its warehouse, the truth, and all that the lender's files have said."""
    folder = tree.once(tmp_path_factory, "credit", lambda folder: build(folder, spark))
    said = {name: pq.read_table(next((folder / "data").rglob(f"{name}.parquet")), partitioning=None) for name in FILES}
    truth = pq.read_table(folder / "truth.parquet").to_pandas().set_index("application_id")
    tables = {name: rows.to_pandas() for name, rows in said.items()}
    return SimpleNamespace(folder=folder, warehouse=Warehouse(f"{folder}/warehouse", "credit"), truth=truth, **tables)


def over(days):
    """When days are over, in the lender's zone."""
    return (pd.to_datetime(days) + pd.Timedelta(days=1)).dt.tz_localize(ZONE)


def test_labels_are_the_true_outcomes_of_approved_loans_and_null_for_all_others(lender):
    stored = arrow.read(lender.warehouse, "labels", ["applicant_id", "prediction_time", "label"]).to_pandas()
    filed = lender.applications.assign(prediction_time=over(lender.applications["applied_on"]).dt.tz_convert("UTC"))
    labels = stored.merge(filed, on=["applicant_id", "prediction_time"]).set_index("application_id")["label"]
    assert len(labels) == len(stored) > 15_000
    refused = labels.isna()
    assert 0.15 < refused.mean() < 0.4
    assert not labels.index[refused].isin(lender.repayments["application_id"]).any()
    answers = labels[~refused].astype(bool)
    assert (answers == (lender.truth["outcome"].loc[answers.index] == DEFAULTED)).all()


def test_a_correction_of_an_income_counts_from_the_day_on_which_it_became_known(lender):
    """The least income of the last year, found again among all statements as they were known then."""
    features = arrow.read(lender.warehouse, "features", ["applicant_id", "prediction_time", "income__least_365d"])
    corrected = lender.incomes["applicant_id"][lender.incomes["is_verified"]].unique()
    rows = (
        features.filter(pc.is_in(features["applicant_id"], pa.array(corrected))).to_pandas().sample(200, random_state=0)
    )
    facts = lender.incomes[lender.incomes["applicant_id"].isin(rows["applicant_id"])]
    facts = facts.assign(at=over(facts["applied_on"]), known=over(facts["reported_on"]))
    late = 0
    for row in rows.itertuples():
        now = row.prediction_time.tz_convert(ZONE)
        begin = (now.tz_localize(None) - pd.Timedelta(days=365)).tz_localize(ZONE)
        mine = facts[(facts["applicant_id"] == row.applicant_id) & (facts["at"] > begin) & (facts["at"] <= now)]
        as_known, at_last = (
            some.sort_values("known").groupby("application_id")["income"].last().min()
            for some in (mine[mine["known"] <= now], mine)
        )
        assert row.income__least_365d == as_known
        late += as_known != at_last
    assert late > 30


def test_the_planted_unfairness_is_shown_and_no_other(lender):
    """The risk is the same in all groups; that women's scores are too low shows in who is acted on."""
    evidence = events.champion(lender.warehouse, NIGHT).evidence
    limits = {"selection_rate": 0.02, "false_positive_rate": 0.02}
    verdicts = {
        column: judge_fairness(evidence, Promotion(fairness=Fairness(columns=[column], **limits)))
        for column in ("sex", "age_band")
    }
    assert verdicts["sex"].verdict is Verdict.REFUSED
    assert "of woman" in verdicts["sex"].sentence
    assert verdicts["age_band"].verdict is Verdict.PASSED


def test_thresholds_by_group_would_lower_it_and_the_price_of_each_mitigation_is_stated(lender):
    kinds = {one["kind"]: one for one in events.champion(lender.warehouse, NIGHT).evidence["mitigation"]}
    assert set(kinds) == {"reweighing", "resampling", "reduction", "thresholds"}
    assert all(one["reason"] is not None or one["periods"][-1]["prices"]["cost"]["low"] for one in kinds.values())
    (_, final) = kinds["thresholds"]["periods"]
    gaps = [[abs(one[side]["estimate"]) for one in final["groups"]] for side in ("with", "without")]
    assert max(gaps[0]) < 0.5 * max(gaps[1])


def test_the_evidence_says_how_many_rows_it_would_act_on_were_never_seen(lender):
    seen = events.champion(lender.warehouse, NIGHT).evidence["unobserved"]
    assert 0.3 < seen["without_outcome"] / seen["acted_on"] < 0.8


def test_from_the_first_night_on_tiers_decide_whose_outcome_is_seen(lender):
    """The simulation goes on for 80 days: whoever was approved has paid the first instalment, or is late with it."""
    columns = ["applicant_id", "run_date", "score", "raw_score", "assignment", "tier", "abstained", "prediction_set"]
    scores = arrow.read(lender.warehouse, "scores", columns).to_pandas()
    champion = events.champion(lender.warehouse, NIGHT)
    thresholds = {one["tier"]: one["value"] for one in champion.evidence["thresholds"]}
    write_days(lender.folder / "days", WORLD, NIGHT + timedelta(days=79), nights_of(f"{lender.folder}/warehouse"))
    places = sorted((lender.folder / "days").glob("*/repayments.parquet"))[-80:]
    later = (pq.read_table(one, partitioning=None) for one in places)
    has_outcome = set(pa.concat_tables(later)["application_id"].to_pylist())
    filed = lender.applications.assign(run_date=lender.applications["applied_on"] + timedelta(days=1))
    rows = scores.merge(filed, on=["applicant_id", "run_date"])
    assert len(rows) == len(scores) > 30
    approved = rows["application_id"].isin(has_outcome)
    drawn, abstains = rows["assignment"] != "score", rows["abstained"].notna()
    refused = ~abstains & (rows["score"] >= thresholds["reject"])
    others = rows[~abstains & ~refused & ~drawn].sort_values("raw_score", ascending=False)
    reviewed = rows.index.isin(others.index[:12])  # the capacity, to the row
    assert (
        rows["tier"].fillna("").tolist()
        == np.select([abstains, refused, reviewed], [PEOPLE, "reject", REVIEW], "").tolist()
    )
    accepted = lender.truth["default_probability"].loc[rows["application_id"]].to_numpy() <= REVIEWED_UP_TO
    by_people = (abstains | reviewed) & accepted
    assert approved.tolist() == (drawn | (~abstains & ~refused & ~reviewed) | by_people).tolist()
    assert refused.sum() > 5
    assert 0 < drawn.sum() < 15


def test_rows_that_are_decided_against_have_their_reasons_in_the_declared_words(lender):
    """Only what made the score worse; of rows that people look at with values and usual ranges, the income masked.

    Who is to be reviewed is decided once all rows are scored: their reasons are made then.
    """
    rows = arrow.read(lender.warehouse, "scores").to_pylist()
    wording = credit_settings().project.serving.reasons.adverse.wording
    explained = [row for row in rows if row["reasons"] is not None]
    assert {row["tier"] for row in rows if row not in explained} == {None}
    assert {row["tier"] for row in explained} == {"reject", "review", "people", None}  # and a sample of all others
    for row in explained:
        sizes = [abs(one["contribution"]) for one in row["reasons"]]
        assert 0 < len(sizes) <= 4
        assert sizes == sorted(sizes, reverse=True)
        if row["tier"] == "reject":
            assert all(one["contribution"] > 0 and one["text"] == wording[one["feature"]] for one in row["reasons"])
        elif row["tier"] in ("review", "people"):
            assert all(one["text"].endswith("the score") for one in row["reasons"])
    usual = {one["feature"]: one["usual"] for row in explained for one in row["reasons"]}
    assert (
        usual.pop("stated_income", None) is usual.pop("income__least_365d", None) is usual.pop("purpose", None) is None
    )
    assert all(usual.values())


def test_values_of_sensitive_columns_are_in_no_page_no_log_and_no_file_of_mlflow(lender):
    """Bands of age are groups that it is judged by, purposes a category that it learns from, incomes numbers.

    Of the purposes one that no text of the project names: words that people write into it are theirs to show.
    """
    values = {"education", *lender.applications["age_band"].unique()}
    pages = [one for one in (lender.folder / "warehouse").rglob("*") if one.parent.name == "reports"]
    files = [
        one for one in (lender.folder / "home" / "mlartifacts").rglob("*") if one.suffix in (".csv", ".html", ".md")
    ]
    files = [one for one in files if "models" not in one.parts]  # the model itself knows its levels
    assert len(values) == 4
    assert {one.suffix for one in pages + files} >= {".csv", ".html", ".md"}
    for file in [*pages, *files, lender.folder / "log.txt"]:
        assert values.isdisjoint(re.findall(r"[0-9A-Za-z_+-]+", file.read_text(encoding="utf-8"))), file
    hidden = {"stated_income", "income__least_365d", "purpose", "age_band"}
    masked = []
    for file in files:
        rows = pd.read_csv(file) if file.suffix == ".csv" else pd.DataFrame()
        masked += [rows[name].unique().tolist() for name in hidden & set(rows)]
    assert masked
    assert all(one == [MASK] for one in masked)


def credit_settings(project="credit"):
    arguments = [f"project={project}", f"search={project}", "project_dates=true"]
    return make_settings(compose_job(ROOT / "conf", JobName.NIGHTLY, arguments))


@pytest.mark.parametrize("project", ["credit", "credit_classes"])
def test_folds_and_a_final_period_exist_on_the_history_of_the_project(project):
    settings = credit_settings(project)
    require_feasible(settings.search, settings.project, parse_run_date(settings.project.history_until))
    assert not {"sex", "age_band"} & set(settings.project.feature_names())
