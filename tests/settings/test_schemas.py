"""What editors make of configuration files, by a validator of JSON schemas: right ones pass, and mistakes do not."""

import pytest

import editor
from nightjar.config import BASE
from nightjar.profiling.project_files import SCHEMAS

FOLDER = BASE / SCHEMAS


def complaints(schema, text):
    return editor.complaints_of(FOLDER / f"{schema}.json", text)


def test_they_are_schemas_and_all_of_the_configuration_passes():
    editor.check_schemas(FOLDER)
    files = sorted(BASE.rglob("*.yaml"))
    assert len(files) > 40
    assert [line for file in files for line in editor.complaints(file)] == []


@pytest.mark.parametrize(
    ("schema", "text"),
    [
        ("model", "{}"),
        ("model", "estimator: BOOSTING\ncalibration: ${other.calibration}"),
        ("model", "estimator: ???\nspace: {C: {low: 1, high: 2.5}, hidden: [[8], [8, 4]], l1: '${one}'}"),
        ("model", "defaults: [boosting, _self_, /model@members.one: tree, optional search: null]"),
        ("search", "split: {kind: WALK_FORWARD, train_days: null}"),
        ("search", "candidates: {a: '${b}'}\nminutes: 0.5\nseed: -1"),
        ("project", "title: 2013\nlabel: {horizon: '${h}', keys: {}}\nspine: {weekdays: [monday, FRIDAY]}"),
        ("environment", "spark: {spark.sql.adaptive.enabled: 'true', spark.executor.cores: 4}\nwarehouse: ???"),
        ("features", "one: {features: {a: {windows: [7d, '${w}']}}}\ntwo: {source: s}"),
        ("candidates", "defaults: [/model@hour_of_day: hour_of_day]\nown: {estimator: tree}"),
        ("leases", "action: FREE\nenvironment: {cpus: 2}"),
        ("nightly", "defaults: [project: '???', optional candidates@search.candidates: '${project}', a: [b, c]]"),
    ],
)
def test_fragments_pass(schema, text):
    assert complaints(schema, text) == []


@pytest.mark.parametrize(
    ("schema", "text", "path"),
    [
        ("model", "estimater: tree", "$"),
        ("model", "estimator: tre", "$.estimator"),
        ("model", "estimator: tree\nbaseline: 'yes'", "$.baseline"),
        ("model", "preparation: {number: {bins: quantil}}", "$.preparation"),
        ("model", "preparation: {make: [{kind: cluster, coutn: 3}]}", "$.preparation"),
        ("model", "space: {C: 0.5}", "$.space"),
        ("model", "members: tree", "$.members"),
        ("search", "final_days: 0", "$.final_days"),
        ("search", "final_days: many", "$.final_days"),
        ("search", "final_days: 2.5", "$.final_days"),
        ("search", "split: {folds: [3]}", "$.split"),
        ("search", "candidates: {a: {estimator: tree, defaults: [tree]}}", "$.candidates"),
        ("project", "first_date: 1.5", "$.first_date"),
        ("project", "label: {horizon: 7 days}", "$.label"),
        ("project", "title: [a]", "$.title"),
        ("project", "sources: {readings: {columns: {x: {type: integer}}}}", "$.sources"),
        ("source", "refuse_above: 1.5", "$.refuse_above"),
        ("source", "arrival: {severity: warning}", "$.arrival"),
        ("features", "usage: {features: {a: {kind: last}}}", "$.usage"),
        ("candidates", "tree: tree", "$.tree"),
        ("environment", "placements: {aircraft: cobucketed}", "$.placements"),
        ("score", "since: '2013-01-01'", "$"),
        ("leases", "action: remove", "$.action"),
        ("model", "defaults: tree", "$.defaults"),
    ],
)
def test_mistakes_do_not(schema, text, path):
    lines = complaints(schema, text)
    assert lines
    assert all(line.startswith(f"{path}") for line in lines), lines
