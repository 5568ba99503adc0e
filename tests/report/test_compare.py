from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pyarrow as pa
import pytest

from nightjar.errors import ModelError, UsageError
from nightjar.evaluation.binary import roc_auc
from nightjar.evaluation.criteria import standard_of
from nightjar.pipeline import compare
from nightjar.report import page
from nightjar.report.comparison import pairs
from nightjar.report.comparison.page import document
from nightjar.report.comparison.trainings import read_trainings
from nightjar.report.reading import open_tables
from nightjar.settings.compare import Compare
from nightjar.settings.environment import Environment
from nightjar.settings.task import Metric, Task
from report import cards, nights
from report.page import Page

WEEK = timedelta(days=7)


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    """Seven trainings a week apart, each with a learning rate of its own, and a baseline beside the last one."""
    warehouse = nights.warehouse_in(tmp_path_factory.mktemp("trainings"))
    for number in range(1, 8):
        recipe = cards.EVIDENCE["recipe"]
        parameters = recipe["model"]["parameters"] | {"learning_rate": number / 100}
        changed = {"recipe": recipe | {"model": recipe["model"] | {"parameters": parameters}}}
        cards.store_training(
            warehouse, str(number), cards.TRAINED + number * WEEK, evidence=cards.MEASURED | changed, hour=number
        )
    cards.store_training(warehouse, "8", cards.TRAINED + 7 * WEEK, alias="stand_in", hour=9)
    return open_tables(warehouse, date.max)


def scored(first_night, scores=0.3, nights_of=28, machines=30, seed=0):
    """Rows of a final period whose scores tell the label as strongly as is said."""
    random = np.random.default_rng(seed)
    day = np.repeat(np.arange(first_night, first_night + nights_of), machines)
    machine = np.tile(np.arange(machines), nights_of)
    row = (day * 1_000 + machine).astype(np.uint64)
    label = (row * np.uint64(2654435761)) % np.uint64(7) < 3
    return pa.table(
        {
            "row": row,
            "day": day.astype("datetime64[D]"),
            "entity": machine,
            "label": label,
            "score_0": scores * label + random.random(len(row)),
        }
    )


def compared(newer, older):
    return pairs.compare(newer, older, Metric.ROC_AUC, Task.CLASSIFICATION, standard_of(cards.project()), block_days=1)


def test_a_pair_is_compared_on_the_rows_that_both_periods_have_in_whatever_order_they_lie():
    older, newer = scored(16_000), scored(16_014, 0.6, seed=1)
    shuffled = older.take(np.random.default_rng(2).permutation(len(older)))

    pair = compared(newer, shuffled)

    ours, theirs = newer.slice(0, 14 * 30), older.slice(14 * 30)
    label, new, old = ours["label"].to_numpy(), ours["score_0"].to_numpy(), theirs["score_0"].to_numpy()
    assert pair.difference.estimate == pytest.approx(roc_auc(label, new) - roc_auc(label, old), abs=1e-12)
    assert (pair.difference.rows, pair.nights) == (14 * 30, 14)
    assert pair.difference.low > 0
    same = compared(older, older).difference
    assert (same.estimate, same.low, same.high) == (0, 0, 0)


def test_the_labels_of_the_newer_version_count_which_knows_the_corrections():
    older, newer = scored(16_000), scored(16_000)
    wrong = older.set_column(3, "label", pa.array(~older["label"].to_numpy()))

    assert compared(newer, wrong).difference.estimate == 0
    assert compared(wrong, newer).difference.estimate == 0


def test_versions_without_a_row_in_common_have_a_reason_and_no_difference():
    pair = compared(scored(16_000), scored(16_100))

    assert (pair.difference.estimate, pair.difference.reason) == (None, "their final periods share no row")


def with_evidence(training, **changed):
    return replace(training, evidence=training.evidence | changed)


def test_versions_of_another_label_than_the_newest_have_a_reason_and_no_difference(tables):
    first, second, third, fourth = read_trainings(tables, [4, 5, 6, 7])
    old = [with_evidence(one, label_hash="old", metric="mae") for one in (first, second)]
    new = [with_evidence(one, label_hash="new") for one in (third, fourth)]
    scores = {number: scored(16_000, seed=int(number)) for number in "4567"}

    result = pairs.compare_all([*old, *new], scores, Metric.ROC_AUC, standard_of(cards.project()), "new")

    assert {pair for pair, one in result.items() if one.difference.estimate is not None} == {("7", "6")}
    reason = "labels of version 5 and version 4 are defined otherwise than those of version 7"
    assert result["5", "4"].difference.reason == reason
    assert result["6", "5"].difference.reason == reason.replace(" and version 4", "")
    shown = Page(page.render(document(cards.project(), [*old, *new], result, "roc_auc")))
    differences = {(row["Newer"], row["Older"]): row for row in shown.table("Paired differences")}
    assert differences["version 5", "version 4"]["Difference"] == "–"
    assert reason in {attributes.get("title") for tag, attributes in shown.tags if tag == "span"}


def test_the_task_is_that_of_the_trainings_whatever_todays_settings_say(tables):
    older, newer = (with_evidence(one, label_hash="old", metric="mae") for one in read_trainings(tables, [6, 7]))
    amounts = {number: scored(16_000, seed=int(number)) for number in "67"}
    numbers = {
        number: one.set_column(3, "label", pa.array(one["row"].to_numpy() % 7 / 7)) for number, one in amounts.items()
    }
    standard = standard_of(cards.project())

    pair = pairs.compare_all([older, newer], numbers, Metric.MAE, standard, "new")["7", "6"]

    label = numbers["7"]["label"].to_numpy()
    errors = [np.abs(label - numbers[number]["score_0"].to_numpy()).mean() for number in "76"]
    assert pair.difference.estimate == pytest.approx(errors[0] - errors[1])
    several = {number: one.append_column("score_1", one["score_0"]) for number, one in amounts.items()}
    classes = [older, with_evidence(newer, metric="log_loss")]
    pair = pairs.compare_all(classes, several, Metric.LOG_LOSS, standard, "new")["7", "6"]
    assert pair.difference.reason == (
        "the classes of version 7 are not on record: today's settings define the label otherwise"
    )


def test_what_a_search_by_another_metric_has_measured_does_not_stand_under_the_newest_ones(tables):
    older, newer = read_trainings(tables, [6, 7])
    other = with_evidence(older, metric="brier")

    shown = Page(page.render(document(cards.project(), [other, newer], {}, "roc_auc")))

    against = {row["Against"]: row for row in shown.table("ROC AUC minus that of others")}
    for row in [*against.values(), *shown.table("What the metric loses")]:
        assert (row["version 6"], row["version 7"][0]) == ("–", "+")
    assert set(against) == {"Best baseline", "Champion of then"}
    titles = [attributes.get("title") for tag, attributes in shown.tags if tag == "span"]
    assert "its search compared by Brier score" in titles


@pytest.mark.parametrize(
    ("which", "numbers"),
    [
        ({}, "34567"),
        ({"numbers": [2, 8]}, "28"),
        ({"since": cards.TRAINED + 6 * WEEK}, "67"),
        ({"until": cards.TRAINED + 2 * WEEK}, "12"),
        ({"since": cards.TRAINED, "until": cards.TRAINED + 6 * WEEK}, "123456"),
    ],
)
def test_trainings_are_the_named_ones_those_of_a_range_or_the_newest_five(tables, which, numbers):
    assert "".join(one.number for one in read_trainings(tables, **which)) == numbers


def test_a_version_or_a_range_that_is_not_on_record_is_refused(tables):
    with pytest.raises(ModelError, match=r"versions: 9 of flights is not registered: table model_events has 1, 2"):
        read_trainings(tables, [2, 9])
    with pytest.raises(ModelError, match=r"No training of flights is for run dates of 2030-01-01 to the last"):
        read_trainings(tables, since=date(2030, 1, 1))


def test_the_page_has_what_differs_first_and_says_what_cannot_be_compared(tables):
    trainings = read_trainings(tables, [5, 6, 7])
    of_pair = {("6", "5"): compared(scored(16_007, 0.6, seed=1), scored(16_000))}

    shown = Page(page.render(document(cards.project(), trainings, of_pair, "roc_auc")))

    assert shown.table("Parameters that differ") == [
        {"Parameter": "parameters.learning_rate", "version 5": "0.05", "version 6": "0.06", "version 7": "0.07"}
    ]
    assert shown.table("In common")[0]["Parameter"] == "estimator"
    differences = {(row["Newer"], row["Older"]): row for row in shown.table("Paired differences")}
    assert differences["version 6", "version 5"]["Nights"] == "21"
    assert differences["version 6", "version 5"]["Difference"].startswith("+0.")
    assert differences["version 7", "version 5"]["Difference"] == "–"
    figures = {row["Figure"]: row["version 7"] for row in shown.table("Figures with 95% intervals")}
    assert figures["ROC AUC"] == "0.683 0.661 to 0.704"
    assert figures["Final period"] == "2013-09-02 to 2013-09-29"
    origin = {row["Record"]: row["version 7"] for row in shown.table("Where they come from")}
    assert (origin["Delta version of features"], origin["Memory"]) == ("17", "1,234 MiB")
    assert shown.table("What the metric loses")[0]["version 6"] == "+0.064 +0.060 to +0.068"


def test_a_stand_in_has_no_scores_of_its_own_and_the_page_says_so(tables, tmp_path, caplog):
    """The run that has registered it holds the winner's scores."""
    older, newer = read_trainings(tables, [6, 7])
    stand_in = replace(newer, evidence=newer.evidence | {"stand_in": True})

    assert compare._scores(tmp_path, "flights", stand_in) is None
    assert not caplog.records  # the run has not even been looked for
    shown = Page(page.render(document(cards.project(), [older, stand_in], {}, "roc_auc")))
    assert [row["Difference"] for row in shown.table("Paired differences")] == ["–"]
    titles = [attributes.get("title") for tag, attributes in shown.tags if tag == "span"]
    assert "the scores of version 7, which stood in for a winner, are not on record" in titles


def test_one_training_alone_is_shown_too(tables):
    trainings = [replace(one, parameters={}) for one in read_trainings(tables, [7])]
    shown = Page(page.render(document(cards.project(), trainings, {}, "roc_auc")))

    assert "There is one training only." in shown.text
    assert "No parameter differs." in shown.text


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"versions": [3], "since": "2013-10-01"}, "none together with versions"),
        ({"versions": [3, 3]}, "each version once"),
        ({"since": "2013-10-02", "run_date": "2013-10-01"}, "a date at or before run_date=2013-10-01"),
    ],
)
def test_trainings_are_named_in_one_way(settings, problem):
    with pytest.raises((ValueError, UsageError), match=problem):
        Compare(Environment(), nights.project(), **settings)
