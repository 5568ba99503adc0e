"""The figures of slices, groups and calibration, and what difference a period can show."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from nightjar.evaluation.clusters import Clusters
from nightjar.evaluation.criteria import Standard
from nightjar.evaluation.fairness import Decision
from nightjar.evaluation.metric_report import Truth, metric_difference
from nightjar.learning.class_decisions import class_decisions
from nightjar.learning.comparison import Comparison
from nightjar.learning.gate_figures import POOLED, Rival, gate_figures
from nightjar.learning.swaps import find_class_swaps, find_swaps
from nightjar.masking.evidence import mask_evidence
from nightjar.masking.values import Masking
from nightjar.registry.gates.calibration import LEAST_ROWS, judge_calibration
from nightjar.registry.gates.fairness import judge_fairness
from nightjar.registry.gates.outcome import Verdict
from nightjar.registry.gates.slices import judge_slices
from nightjar.registry.swaps import describe
from nightjar.settings.promotion import Fairness, Promotion, Slices
from nightjar.settings.task import Metric, Task

NIGHTS, A_NIGHT = 20, 30


def period(seed=0, gain=1.0, task=Task.CLASSIFICATION, metric=Metric.ROC_AUC):
    """A new model that knows more than its rival, on nights that share shocks."""
    random = np.random.default_rng(seed)
    shape = (NIGHTS, A_NIGHT)
    shared, own = random.normal(size=(2, *shape))
    shock = 0.5 * random.normal(size=(NIGHTS, 1))
    label = random.random(shape) < 1 / (1 + np.exp(-shared - gain * own - shock))
    scores = [1 / (1 + np.exp(-one.ravel())) for one in (shared + gain * own, shared + 0.1 * random.normal(size=shape))]
    night = np.repeat(np.arange(NIGHTS), A_NIGHT)
    truth = Truth(task, label.ravel(), Clusters(np.arange(label.size), night))
    return Comparison(metric, truth, scores[0]), Rival("rival", scores[1])


def acting(compared):
    return [Decision(compared.truth, compared.scores, compared.scores > 0.5)]


def test_slices_are_compared_on_their_own_rows_and_small_ones_together():
    compared, rival = period()
    site = np.array(["north"] * 300 + ["south"] * 280 + ["east"] * 8 + ["west"] * 12)
    columns = pa.table({"site": site})
    settings = Promotion(slices=Slices(["site"], least_rows=20))
    figures = gate_figures(compared, rival, [], columns, settings)
    assert [(one["value"], one["size"]) for one in figures["slices"]] == [("north", 300), ("south", 280), (POOLED, 20)]
    assert figures["confidence"] == pytest.approx(1 - 0.05 / 3)
    rows = np.flatnonzero(site == "south")
    truth = compared.truth.take(rows)
    expected = metric_difference(
        Metric.ROC_AUC, truth, compared.scores[rows], rival.scores[rows], figures["confidence"]
    )
    assert (figures["slices"][1]["low"], figures["slices"][1]["high"]) == (expected.low, expected.high)
    assert "fairness" not in figures
    assert "slices" not in gate_figures(compared, None, [], columns, settings)


def test_a_slice_of_one_row_says_why_it_has_no_figure():
    compared, rival = period()
    columns = pa.table({"site": ["a"] * (NIGHTS * A_NIGHT - 1) + [None]})
    alone = gate_figures(compared, rival, [], columns, Promotion(slices=Slices(["site"], least_rows=20)))["slices"][1]
    assert (alone["value"], alone["size"], alone["estimate"]) == ("null", 1, None)
    assert "of the 1 row" in alone["reason"]


def test_of_two_classes_slices_are_as_large_as_their_rarer_class():
    """Of 200 rows of the south 25 are positive, or negative: that is what a metric is uncertain by."""
    compared, rival = period()
    columns = pa.table({"site": ["north"] * 300 + ["south"] * 200 + ["east"] * 100})
    settings = Promotion(slices=Slices(["site"], least_rows=30))
    for rare in (True, False):
        label = compared.truth.label.copy()
        label[300:500] = np.where(np.arange(200) % 8 == 0, rare, not rare)
        few = replace(compared, truth=replace(compared.truth, label=label))
        slices = gate_figures(few, rival, [], columns, settings)["slices"]
        sizes = {one["value"]: one["of_rarer_class"] for one in slices}
        assert sizes["south"] == 25
        assert min(sizes["north"], sizes["east"]) >= 30
    few_of_each = replace(settings, slices=Slices(["site"], least_rows=60))
    assert [one["value"] for one in gate_figures(few, rival, [], columns, few_of_each)["slices"]] == ["north", POOLED]


def test_what_is_of_two_nights_only_is_left_to_a_person():
    """Slice, group, and a period: an interval over their entities says nothing of other nights."""
    compared, rival = period()
    where = np.where(np.arange(NIGHTS * A_NIGHT) < 2 * A_NIGHT, "new", "old")
    sex = np.where(where == "new", np.arange(NIGHTS * A_NIGHT) % 2, 2)
    limits = Fairness(["sex"], selection_rate=0.1, least_rows=10)
    settings = Promotion(slices=Slices(["site"], least_rows=10), fairness=limits, calibration_error=0.1)
    columns = pa.table({"site": where, "sex": sex})
    figures = gate_figures(compared, rival, acting(compared), columns, settings)
    reason = "its rows are of 2 blocks of time, and fewer than 3 say nothing of others"
    new, old = figures["slices"]
    assert (new["value"], new["low"], new["high"], new["reason"]) == ("new", None, None, reason)
    assert new["estimate"] is not None
    assert old["low"] is not None
    assert [one["low"] for one in figures["fairness"]] == [None] * 3
    assert (figures["fairness"][0]["groups"], figures["fairness"][0]["reason"]) == (["0", "1"], reason)
    both = np.flatnonzero(where == "new")
    short = Comparison(compared.metric, compared.truth.take(both), compared.scores[both])
    assert gate_figures(short, None, acting(short), None, settings)["calibration"]["reason"] == reason


def test_small_groups_are_not_compared_and_take_no_confidence():
    compared, rival = period()
    columns = pa.table({"site": np.where(np.arange(600) < 20, np.arange(600), 20 + np.arange(600) % 3)})
    settings = Promotion(fairness=Fairness(["site"], selection_rate=0.1))
    figures = gate_figures(compared, rival, acting(compared), columns, settings)
    assert figures["confidence"] == pytest.approx(1 - 0.05 / 3)
    pairs = figures["fairness"]
    assert len(pairs) == 23 * 22 / 2
    assert [one["reason"] for one in pairs if one["low"] is not None] == [None] * 3
    assert {one["reason"] for one in pairs if one["low"] is None} == {"1 rows of a group are fewer than 100"}


def test_with_the_least_rows_of_the_rarer_class_a_slice_shows_scores_that_are_chance():
    random, size, refused = np.random.default_rng(6), 2 * Slices().least_rows, 0
    label = np.arange(size) % 2 == 0
    truth = Truth(Task.CLASSIFICATION, label, Clusters(np.arange(size), np.arange(size) // 2 % 25))
    settings = Promotion(slices=Slices(["site"], not_worse_by=0.02))
    for _ in range(10):
        chance, rival = (1 / (1 + np.exp(-gain * label - random.normal(size=size))) for gain in (0.0, 1.5))
        compared = Comparison(Metric.ROC_AUC, truth, chance)
        gates = gate_figures(compared, Rival("rival", rival), [], pa.table({"site": ["a"] * size}), settings)
        refused += judge_slices({"metric": "roc_auc", "gates": gates}, settings).verdict is Verdict.REFUSED
    assert refused >= 9


def test_with_the_least_rows_a_calibration_error_far_beyond_the_limit_is_refused():
    random, refused = np.random.default_rng(4), 0
    night = np.repeat(np.arange(28), 36)
    assert len(night) >= LEAST_ROWS
    for _ in range(8):
        chance = random.uniform(0.15, 0.85, len(night))
        truth = Truth(Task.CLASSIFICATION, random.random(len(night)) < chance, Clusters(np.arange(len(night)), night))
        compared = Comparison(Metric.ROC_AUC, truth, chance + 0.15)
        settings = Promotion(calibration_error=0.05)
        gates = gate_figures(compared, None, acting(compared), None, settings)
        refused += judge_calibration({"gates": gates}, settings).verdict is Verdict.REFUSED
    assert refused >= 6


def test_all_figures_together_share_the_confidence():
    """Two slices, three pairs of groups in two rates, and the calibration error: nine intervals."""
    compared, rival = period()
    columns = pa.table({"site": np.arange(600) % 2, "sex": np.arange(600) % 3})
    limits = Fairness(["sex"], selection_rate=0.1, recall=0.1)
    settings = Promotion(slices=Slices(["site"]), fairness=limits, calibration_error=0.1, confidence=0.9)
    figures = gate_figures(compared, rival, acting(compared), columns, settings)
    assert figures["confidence"] == pytest.approx(1 - 0.1 / 9)
    assert [(one["rate"], one["groups"]) for one in figures["fairness"]] == [
        (rate, pair) for rate in ("selection_rate", "recall") for pair in (["0", "1"], ["0", "2"], ["1", "2"])
    ]
    assert figures["calibration"]["low"] < figures["calibration"]["estimate"] < figures["calibration"]["high"]


def test_groups_of_a_gate_may_be_combinations_of_values():
    """Young women are acted on less often by half; of all women, and of all young people, that is a quarter."""
    compared, _ = period()
    number = np.arange(NIGHTS * A_NIGHT)
    columns = pa.table({"sex": np.where(number % 2, "f", "m"), "age": np.where(number // 2 % 2, "young", "old")})
    harmed = (number % 2 == 1) & (number // 2 % 2 == 1)
    decision = Decision(compared.truth, compared.scores, (number % 4 == 0) | ~harmed)
    settings = Promotion(fairness=Fairness([["sex", "age"]], selection_rate=0.1))
    gates = gate_figures(compared, None, [decision], columns, settings)

    assert gates["fairness_of"] == [["sex and age", "selection_rate"]]
    assert gates["confidence"] == pytest.approx(1 - 0.05 / 6)
    assert {(one["column"], *one["columns"]) for one in gates["fairness"]} == {("sex and age", "sex", "age")}
    outcome = judge_fairness({"gates": gates}, settings)
    assert outcome.verdict is Verdict.REFUSED
    assert "Selection rate by sex and age: " in outcome.sentence
    assert "0.0% of f, young" in outcome.sentence
    masked = mask_evidence({"gates": gates}, Masking(frozenset({"age"})))
    assert "0.0% of f, (masked " in judge_fairness(masked, settings).sentence
    alone = Promotion(fairness=Fairness(["sex"], selection_rate=0.1))
    assert "did not measure selection rate by sex" in judge_fairness({"gates": gates}, alone).sentence


def test_the_smallest_difference_is_shown_in_four_of_five_periods():
    """Of differences that are as great as the smallest one, and vary between nights as these do."""
    random = np.random.default_rng(5)
    night = np.repeat(np.arange(12), 4)
    shown, smallest = 0, []
    runs = 300
    for _ in range(runs):
        label = np.zeros(len(night))
        gap = random.normal(size=12)[night] + 0.1 * random.normal(size=len(night)) + TRUE
        compared = Comparison(
            Metric.MAE, Truth(Task.REGRESSION, label, Clusters(np.arange(48), night)), np.full(48, 100.0)
        )
        others = 100 + gap
        smallest.append(compared.smallest("rival", others, 0.99)["difference"])
        shown += compared.over("rival", others, 0.99)["high"] < 0
    assert np.mean(smallest) == pytest.approx(TRUE, rel=0.05)
    assert 0.72 < shown / runs < 0.88


TRUE = 1.16
"""About (t(0.995) + t(0.8)) / sqrt(12), with 11 degrees of freedom."""


def test_equals_show_no_smallest_difference_where_there_is_no_interval():
    compared, _ = period(task=Task.REGRESSION, metric=Metric.MAE)
    assert compared.smallest("itself", compared.scores, 0.95) is None


def test_decisions_are_by_thresholds_or_at_the_rate_of_the_champion():
    compared, rival = period()
    label, score = compared.truth.label, compared.scores
    both = find_swaps(compared.truth, rival.scores, score, 0.6, 0.7)
    assert both["action_rate"] == {"champion": (rival.scores >= 0.6).mean(), "new": (score >= 0.7).mean()}
    assert both["in"]["rows"] == ((score >= 0.7) & (rival.scores < 0.6)).sum()
    assert both["described"]["delong"]["estimate"] == pytest.approx(
        compared.over("rival", rival.scores, 0.95)["estimate"]
    )
    one = find_swaps(compared.truth, rival.scores, score, 0.6, None)
    assert one["action_rate"]["new"] == pytest.approx(one["action_rate"]["champion"], abs=0.002)
    assert one["in"]["rows"] == one["out"]["rows"] > 0
    neither = find_swaps(compared.truth, rival.scores, score, None, None)
    assert neither["action_rate"]["champion"] == pytest.approx(label.mean(), abs=0.002)
    assert neither["in"]["outcome_rate"]["estimate"] > neither["out"]["outcome_rate"]["estimate"]
    assert f"{neither['in']['rows']} rows acted on from now on" in describe(neither)


CLASSES = ("early", "on_time", "late")


def of_classes(a_night=A_NIGHT):
    """Three classes; a new model that knows more than its rival, on nights that share shocks."""
    random = np.random.default_rng(0)
    count = NIGHTS * a_night
    night = np.repeat(np.arange(NIGHTS), a_night)
    odds = random.normal(size=(count, 3)) + 0.3 * random.normal(size=(NIGHTS, 3))[night]
    chances = np.exp(2 * odds) / np.exp(2 * odds).sum(axis=1, keepdims=True)
    label = np.array([random.choice(3, p=chance) for chance in chances])
    blurred = np.exp(2 * odds + random.normal(size=odds.shape))
    standard = Standard(CLASSES, ((0, 1, 2), (1, 0, 1), (3, 2, 0)))
    truth = Truth(Task.MULTICLASS, label, Clusters(np.arange(count), night), standard=standard)
    return truth, chances, blurred / blurred.sum(axis=1, keepdims=True)


def test_of_several_classes_groups_and_calibration_are_judged_for_each_against_the_rest():
    """The women's flights are said to be late half as often, and late is announced too often: both are shown."""
    truth, chances, _ = of_classes(a_night=90)
    women = np.arange(len(chances)) % 2 == 1
    biased = np.where(women[:, None], chances * [1.0, 1.0, 0.05], chances * [1.0, 1.0, 4.0])
    biased /= biased.sum(axis=1, keepdims=True)
    limits = Fairness(["sex"], selection_rate=0.1, recall=0.1, least_rows=50)
    settings = Promotion(fairness=limits, calibration_error=0.02)
    columns = pa.table({"sex": np.where(women, "f", "m")})
    verdicts = {}
    for name, probabilities in {"honest": chances, "biased": biased}.items():
        compared = Comparison(Metric.LOG_LOSS, truth, probabilities)
        gates = gate_figures(compared, None, class_decisions(truth, probabilities), columns, settings)
        assert gates["confidence"] == pytest.approx(1 - 0.05 / 9)  # three classes, each in two rates and a calibration
        assert [one["class"] for one in gates["calibration_by_class"]] == list(CLASSES)
        assert [one["class"] for one in gates["fairness"]] == [*CLASSES, *CLASSES]
        verdicts[name] = [judge({"gates": gates}, settings) for judge in (judge_fairness, judge_calibration)]
    assert [one.verdict for one in verdicts["honest"]] == [Verdict.PASSED] * 2
    assert [one.verdict for one in verdicts["biased"]] == [Verdict.REFUSED] * 2
    assert "of class late by sex" in verdicts["biased"][0].sentence
    assert verdicts["biased"][1].sentence.startswith("The calibration error of class ")


@pytest.mark.parametrize(("rows", "verdict"), [(600, Verdict.PASSED), (40, Verdict.PERSON)])
def test_a_slice_of_several_classes_has_to_be_able_to_show_larger_errors(rows, verdict):
    truth, chances, blurred = of_classes()
    part = np.sort(np.random.default_rng(3).permutation(600)[:rows])
    compared = Comparison(Metric.ROC_AUC, truth.take(part), chances[part])
    settings = Promotion(slices=Slices(["site"], not_worse_by=0.05, least_rows=30))
    gates = gate_figures(compared, Rival("rival", blurred[part]), [], pa.table({"site": ["a"] * rows}), settings)
    assert judge_slices({"metric": "roc_auc", "gates": gates}, settings).verdict is verdict


def test_of_several_classes_the_rows_are_shown_whose_class_changes():
    truth, chances, blurred = of_classes()
    swaps = find_class_swaps(truth, blurred, chances)
    before, after = (
        np.argmax([one.acts for one in class_decisions(truth, scores)], axis=0) for scores in (blurred, chances)
    )
    assert swaps["rows"] == (before != after).sum() > 20
    assert swaps["changed"]["estimate"] == pytest.approx((before != after).mean())
    for number, name in enumerate(CLASSES):
        joined = (after == number) & (before != number)
        assert swaps["classes"][name]["in"]["rows"] == joined.sum()
        rate = swaps["classes"][name]["in"]["outcome_rate"]["estimate"]
        assert rate == pytest.approx((truth.label[joined] == number).mean())
    assert f"late: {swaps['classes']['late']['in']['rows']} rows predicted from now on" in describe(swaps)
    alone = ((after == truth.label) & (before != truth.label)).sum()
    assert swaps["described"]["new_alone_right"] == alone
    assert f"{alone} rows are right by the new one alone" in describe(swaps)


@pytest.mark.parametrize(("size", "verdict"), [(2000, Verdict.PASSED), (60, Verdict.PERSON)])
def test_a_slice_of_amounts_that_would_not_show_larger_errors_is_left_to_a_person(size, verdict):
    """Two models of equal, independent errors."""
    random = np.random.default_rng(2)
    label, night = random.gamma(1.0, size=size), np.arange(size) % 7
    one, other = label + random.standard_t(3, size=(2, size))
    compared = Comparison(Metric.RMSE, Truth(Task.REGRESSION, label, Clusters(np.arange(size), night)), one)
    settings = Promotion(slices=Slices(["site"], not_worse_by=0.2, least_rows=5))
    gates = gate_figures(compared, Rival("rival", other), [], pa.table({"site": ["a"] * size}), settings)
    outcome = judge_slices({"metric": "rmse", "gates": gates}, settings)
    assert outcome.verdict is verdict
    assert (verdict is Verdict.PERSON) == ("60 rows would not show errors that are half as large" in outcome.sentence)
