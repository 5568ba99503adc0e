"""Lineage: what each column of a project is made of, from raw rows to the score."""

import dataclasses
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import builders
from nightjar.config import compose_job, make_settings
from nightjar.expressions.lineage import Layer, TableColumn, facts_column, features
from nightjar.expressions.project_lineage import lineage_of
from nightjar.settings.features import FeatureKind
from nightjar.settings.jobs import JobName

CONF = Path(__file__).resolve().parents[2] / "conf"
SCORE, LABEL = TableColumn(Layer.SCORES, "scores", "score"), TableColumn(Layer.LABELS, "labels", "label")


def project(**changes):
    return dataclasses.replace(builders.machines(Path("raw")), **changes)


def raw(lineage, column):
    return {f"{one.place}.{one.name}" for one in lineage.raw(column)}


def configured(name):
    dates = {"cdnow": "1997-09-01", "credit": "2024-06-01"}
    options = [f"project={name}", f"run_date={dates.get(name, '2013-10-01')}"]
    return make_settings(compose_job(CONF, JobName.SCORE, options)).project


def test_a_column_is_followed_to_the_raw_ones_and_to_the_score():
    lineage = lineage_of(project())

    assert raw(lineage, features("load")) == {"schedule.load"}
    assert raw(lineage, features("built")) == {"schedule.models.year"}
    assert raw(lineage, features("temperature__mean_3d")) == {"readings.temperature"}
    assert raw(lineage, features("prediction_time")) == raw(lineage, facts_column("schedule", "event_time"))
    assert raw(lineage, LABEL) == {"outcomes.failed"}
    assert raw(lineage, SCORE) == {
        *("schedule.load", "schedule.models.year", "schedule.site", "readings.temperature"),
    }
    below = lineage.below(TableColumn(Layer.RAW, "readings", "temperature"))
    assert [one.name for one in below if one.layer is Layer.FEATURES] == [
        *("temperature__last", "temperature__mean_1d", "temperature__mean_3d"),
    ]
    assert SCORE in below
    assert LABEL not in below


def test_keys_and_clocks_decide_of_which_rows_and_are_no_values():
    step = lineage_of(project()).steps[features("temperature__mean_1d")]

    assert step.values == (facts_column("readings", "temperature"),)
    assert {features("machine"), *(facts_column("readings", one) for one in ("machine", "event_time", "known_at"))} == {
        *step.rows
    }
    assert step.meaning == "mean of temperature of the same machine in the 1d before"


def test_the_score_is_made_of_what_the_model_reads_alone():
    lineage = lineage_of(project(), ["load"])

    assert raw(lineage, SCORE) == {"schedule.load"}
    assert lineage.users(features("site")) == ()


def test_names_in_expressions_are_found_in_any_case_and_through_each_other():
    expressions = {"twice": "LOAD * 2", "more": "twice + `temperature__last`"}
    lineage = lineage_of(project(expressions=expressions))

    assert lineage.above(features("more"))[:2] == [features("twice"), features("temperature__last")]
    assert raw(lineage, features("more")) == {"schedule.load", "readings.temperature"}


def test_of_an_expression_that_is_not_read_every_column_counts_that_its_text_names():
    unusual = "sum(load) OVER (PARTITION BY site)"
    step = lineage_of(project(expressions={"odd": unusual})).steps[features("odd")]

    assert not step.is_certain
    assert set(step.values) == {features("load"), features("site")}


def test_active_spines_acted_rows_and_tiers_have_their_steps():
    lineage = lineage_of(configured("credit"))

    assert TableColumn(Layer.SCORES, "scores", "tier") in lineage.users(SCORE)
    assert lineage_of(configured("cdnow")).steps[features("prediction_time")].values == ()


@pytest.mark.parametrize("name", ["flights", "flights_classes", "cdnow", "credit"])
def test_whatever_a_column_is_made_of_is_a_raw_column_or_has_a_step_itself(name):
    own = configured(name)
    lineage = lineage_of(own)
    raw_names = {(name, column) for name, source in own.sources.items() for column in source.columns}
    before = set()
    for column, step in lineage.steps.items():
        for one in (*step.values, *step.rows):
            is_raw = one.layer is Layer.LOOKUP or (one.layer is Layer.RAW and (one.place, one.name) in raw_names)
            assert is_raw or one in lineage.steps, (column, one)
        assert all(one in before for one in step.values if one in lineage.steps), column
        before.add(column)
    assert {features(one) for one in own.feature_names()} <= set(lineage.steps)
    assert all(raw(lineage, features(one)) for one in own.feature_names() if one in own.joined_names())


@given(st.integers(1, 12), st.data())
def test_above_and_below_are_what_a_walk_along_every_path_finds(count, data):
    """Expressions, each over some of those before it; the oracle walks every path."""
    inputs = {
        f"e{n}": data.draw(st.lists(st.sampled_from(["load", *(f"e{m}" for m in range(n))]), max_size=3, unique=True))
        for n in range(count)
    }
    lineage = lineage_of(project(expressions={name: " + ".join(["1", *used]) for name, used in inputs.items()}))

    def behind(name):
        return {one for used in inputs.get(name, []) for one in {used, *behind(used)}}

    for name in inputs:
        above = {one.name for one in lineage.above(features(name)) if one.layer is Layer.FEATURES}
        below = {one.name for one in lineage.below(features(name)) if one.layer is Layer.FEATURES}
        assert above == behind(name)
        assert below == {one for one in inputs if name in behind(one)}


def test_a_group_is_described_by_what_it_looks_at():
    meanings = {column.name: step.meaning for column, step in lineage_of(project()).steps.items()}

    assert builders.temperature().features["last"].kind is FeatureKind.LATEST
    assert meanings["temperature__last"] == "last temperature of the same machine, at most 2d old"
