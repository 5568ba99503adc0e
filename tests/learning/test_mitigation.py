"""Fits by groups: what they do to rows and weights, and that each treats groups more alike, at a price."""

from dataclasses import replace
from functools import cache, partial

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nightjar.errors import LearningError
from nightjar.evaluation.binary import roc_auc
from nightjar.evaluation.swaps import threshold_at
from nightjar.learning.champion import candidate_of_recipe, recipe_of
from nightjar.learning.fitting.candidates import Candidate
from nightjar.learning.fitting.mitigation import balancing_factors, fit_fairly, resampled_rows
from nightjar.learning.search.checking import require_learnable
from nightjar.learning.search.proposals import mitigated
from nightjar.models.columns import FeatureColumn
from nightjar.models.examples import Examples
from nightjar.models.fitting import fit
from nightjar.models.serialization.predictor_files import dump, open_predictor
from nightjar.settings.fairness import Mitigation, MitigationKind, Parity
from nightjar.settings.learning import Search
from nightjar.settings.model import Estimator, Model
from nightjar.settings.task import Task

COLUMNS = (FeatureColumn("x", "number"), FeatureColumn("proxy", "number"))
FIT = partial(fit, Model(Estimator.LOGISTIC), features=COLUMNS, seed=0)
CELL = st.tuples(st.booleans(), st.integers(0, 2), st.sampled_from([0.5, 1.0, 3.0]))


@cache
def rows_of(seed, rows=4000):
    """Rows of two groups; the features tell the group, and fewer of its rows are True. Nights share shocks."""
    random = np.random.default_rng(seed)
    group, shock = (random.random(rows) < 0.4).astype(int), np.repeat(random.normal(0, 0.4, rows // 100), 100)
    x, proxy = random.normal(size=rows), group + 0.5 * random.normal(size=rows)
    label = random.random(rows) < 1 / (1 + np.exp(-(1.5 * x - group - 0.8 + shock)))
    return Examples(pa.table({"x": x, "proxy": proxy}), label), group


def judge(predictor):
    """ROC AUC on other rows, and how far the groups lie apart in what is acted on, of all rows and of True ones."""
    others, group = rows_of(2)
    score = predictor.predict(others.table)
    acts = score >= threshold_at(others.label.mean(), score)
    gaps = [
        abs(np.subtract(*(acts[(group == one) & of].mean() for one in (0, 1)))) for of in (group >= 0, others.label)
    ]
    return roc_auc(others.label, score), *gaps


@pytest.mark.parametrize("kind", ["reweighing", "resampling", "reduction"])
def test_each_fit_by_groups_treats_them_more_alike_and_has_its_price(kind):
    examples, group = rows_of(1)
    plain, selection, _ = judge(FIT(examples))
    fair = fit_fairly(FIT, examples, group, Mitigation(MitigationKind.read(kind), ["g"]), 0)
    auc, less, _ = judge(fair)
    assert selection > 0.1
    assert less < (0.03 if kind == "reduction" else 0.65 * selection)
    assert plain - 0.03 < auc < plain
    structure, files = dump(fair)
    opened = open_predictor(structure, files, "here")
    np.testing.assert_array_equal(opened.predict(examples.table), fair.predict(examples.table))


def test_a_reduction_can_even_out_recall_instead():
    examples, group = rows_of(1)
    _, _, opportunity = judge(FIT(examples))
    fair = fit_fairly(FIT, examples, group, Mitigation(MitigationKind.REDUCTION, ["g"], Parity.EQUAL_OPPORTUNITY), 0)
    assert judge(fair)[2] < 0.5 * opportunity


@settings(max_examples=60, deadline=None)
@given(st.lists(CELL, min_size=2, max_size=40), st.integers(0, 3))
def test_weighted_group_and_label_are_independent(cells, seed):
    label, group, weight = (np.array(column) for column in zip(*cells, strict=True))
    examples = Examples(pa.table({"x": np.arange(len(label))}), label, weight)
    balanced = weight * balancing_factors(examples, group)
    present = {(one, of) for one, of in zip(group.tolist(), label.tolist(), strict=True)}
    if len(present) == len(set(group)) * len(set(label)):  # a cell without rows cannot be given weight
        assert balanced.sum() == pytest.approx(weight.sum())
        for one in set(group):
            share = balanced[(group == one) & label].sum() / balanced[group == one].sum()
            assert share == pytest.approx(weight[label].sum() / weight.sum())
    rows = resampled_rows(examples, group, seed)
    factors = balancing_factors(examples, group)
    for one, of in present:
        cell = (group == one) & (label == of)
        assert np.isin(rows, np.flatnonzero(cell)).sum() == max(1, round(cell.sum() * factors[cell][0]))
    assert (np.diff(rows) >= 0).all()
    np.testing.assert_array_equal(rows, resampled_rows(examples, group, seed))


def test_weights_of_rows_count_as_often_as_the_rows_would():
    """Kamiran and Calders by repeated rows: a row of weight 2 is two rows."""
    examples, group = rows_of(1, 400)
    weight = 1.0 + (np.arange(400) % 3 == 0)
    repeated = np.repeat(np.arange(400), weight.astype(int))
    once = balancing_factors(replace(examples, weight=weight), group)
    np.testing.assert_allclose(balancing_factors(examples.take(repeated), group[repeated]), once[repeated])


def test_a_group_of_three_rows_is_left_as_it_is_and_changes_nothing_for_others():
    examples, group = rows_of(1)
    few = group.copy()
    few[np.flatnonzero(examples.label)[:3]] = 2  # all of them True
    apart = judge(FIT(examples))[1]
    for kind in ("reweighing", "resampling", "reduction"):
        fair = fit_fairly(FIT, examples, few, Mitigation(MitigationKind.read(kind), ["g"]), 0)
        assert judge(fair)[1] < 0.65 * apart
    assert balancing_factors(examples, few, least_rows=100)[few == 2].tolist() == [1, 1, 1]
    alone = Mitigation(MitigationKind.REDUCTION, ["g"], least_rows=10_000)
    assert judge(fit_fairly(FIT, examples, group, alone, 0))[1] == apart


def test_a_candidate_is_known_by_its_mitigation():
    reweighed = Mitigation(MitigationKind.REWEIGHING, ["sex"])
    plain = Candidate("logistic", Model(Estimator.LOGISTIC))
    fair = replace(plain, mitigation=reweighed)
    assert plain.key() != fair.key() != replace(fair, mitigation=replace(reweighed, columns=["age"])).key()
    assert candidate_of_recipe(recipe_of(fair)).key() == fair.key()
    assert candidate_of_recipe(recipe_of(plain)).key() == plain.key()

    def batches():
        values = yield [plain]
        yield [Candidate(str(values[plain]), plain.model)]

    tried = mitigated(batches(), reweighed)
    [first] = next(tried)
    [second] = tried.send({first: 7})
    assert (first.mitigation, second.name, second.mitigation) == (reweighed, "7", reweighed)
    assert next(tried, None) is None


def test_what_a_mitigation_cannot_be_used_with_is_refused_before_the_search():
    reweighing, resampling = (Mitigation(MitigationKind.read(one), ["sex"]) for one in ("reweighing", "resampling"))
    neighbours = Model(Estimator.NEIGHBOURS)
    search = Search({"majority": Model(Estimator.MAJORITY, baseline=True), "neighbours": neighbours})
    require_learnable(search, COLUMNS, Task.CLASSIFICATION, weighted=False, mitigation=resampling)
    with pytest.raises(LearningError, match=r"candidates\.neighbours: .*weight"):
        require_learnable(search, COLUMNS, Task.CLASSIFICATION, weighted=False, mitigation=reweighing)
    baseline = replace(neighbours, baseline=True)
    search = Search({"neighbours": baseline, "logistic": Model(Estimator.LOGISTIC)})
    require_learnable(search, COLUMNS, Task.CLASSIFICATION, weighted=False, mitigation=reweighing)
