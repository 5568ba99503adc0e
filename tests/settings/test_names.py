"""Names that become folders, tables or parts of them are plain identifiers, and no two are one to Spark."""

from dataclasses import replace
from pathlib import Path

import pytest

import builders
from nightjar.settings.environment import Environment
from nightjar.settings.layouts import Layout
from nightjar.settings.learning import Search
from nightjar.settings.sources import Column, ColumnType

PROJECT = builders.machines(Path("files"))
READINGS, TEMPERATURE = PROJECT.sources["readings"], PROJECT.features["temperature"]
SEARCH = builders.search()
KEYS = {"machine": "machine"}


def renamed_project(name):
    return replace(PROJECT, name=name.lower())


@pytest.mark.parametrize("name", ["Tier", "score", "Model_Version"])
def test_a_key_that_scores_have_already_is_refused(name):
    schedule = PROJECT.sources["schedule"]
    columns = schedule.columns | {name: Column(ColumnType.STRING)}
    sources = PROJECT.sources | {"schedule": replace(schedule, columns=columns, keep=[*schedule.keep, name])}
    with pytest.raises(ValueError, match=rf"key: found '{name}', expected another name: table scores has it"):
        replace(PROJECT, sources=sources, spine=replace(PROJECT.spine, key=[*PROJECT.spine.key, name]))


def with_source(name):
    return replace(PROJECT, sources=PROJECT.sources | {name: READINGS})


def with_group(name):
    return replace(PROJECT, features=PROJECT.features | {name: TEMPERATURE})


def with_lookup(name):
    return replace(PROJECT.sources["schedule"], lookups={name: PROJECT.sources["schedule"].lookups["models"]})


def with_layout(name):
    return replace(READINGS, layouts={name: Layout(["machine"])})


def with_layout_of(name):
    return Layout([name])


def with_candidate(name):
    return Search(SEARCH.candidates | {name: SEARCH.candidates["logistic"]})


NAMED = (renamed_project, with_source, with_group, with_lookup, with_layout, with_layout_of, with_candidate)
STRANGE = (
    "",
    "..",
    "../outside",
    "/outside",
    "a/b",
    "a\\b",
    "a\0b",
    "a\n",
    ".a",
    "a.",
    "a.b",
    "a ",
    "a b",
    "a-b",
    "a%20b",
    "a*",
    "_a",
    "1a",
    "gr\u00f6\u00dfe",
    "\uff41b",
    "a" * 64,
)


@pytest.mark.parametrize("make", NAMED, ids=lambda one: one.__name__)
def test_only_plain_identifiers_become_names(make):
    for name in ("a", "a_1", "a" * 63):
        make(name)
    for name in STRANGE:
        with pytest.raises(ValueError, match="identifier") as refused:
            make(name)
        assert f"found {name!r}" in str(refused.value)


def test_a_name_that_differs_from_another_in_case_only_is_refused_with_both():
    for make, name, twin in (
        (with_source, "Readings", "readings"),
        (with_group, "TEMPERATURE", "temperature"),
        (with_candidate, "Logistic", "logistic"),
        (lambda name: replace(READINGS, derived={name: "1"}), "Machine", "machine"),
    ):
        with pytest.raises(ValueError, match=f"found '{name}', expected another name: only .* tell it from '{twin}'"):
            make(name)
    with pytest.raises(
        ValueError, match=r"expressions\.Load: found 'Load', expected another name: this column is made"
    ):
        replace(PROJECT, expressions={"Load": "load"})
    with pytest.raises(ValueError, match="found \\['run_id'\\], expected names other than those of the stored clocks"):
        replace(READINGS, derived={"Run_ID": "1"}, keep=["Run_ID"])


def test_no_source_s_table_is_that_of_another_source_s_layout():
    with pytest.raises(ValueError, match="sources: found 'readings__By_at', expected a name without __by_"):
        with_source("readings__By_at")
    with pytest.raises(ValueError, match="layouts: found \\['machine', 'machine'\\], expected other keys"):
        replace(READINGS, layouts={"one": Layout(["machine"]), "two": Layout(["machine"], buckets=2)})
    with pytest.raises(ValueError, match="at most 150 letters together"):
        Layout(["a" * 50, "b" * 50, "c" * 50])


@pytest.mark.parametrize("name", ["ho%20me", "a?b", "a#b", "a\\b"])
def test_a_home_whose_database_mlflow_would_look_for_elsewhere_is_refused(name):
    with pytest.raises(ValueError, match=r"^home: found .*, and none of \?#: they would be taken for other folders"):
        Environment(home=f"/data/{name}/home")


@pytest.mark.parametrize("name", ["ware%20house", "a%2fb", "a\\b", "a\nb"])
def test_a_warehouse_that_readers_would_look_for_elsewhere_is_refused_be_it_by_the_working_folder(
    name, tmp_path, monkeypatch
):
    with pytest.raises(ValueError, match="expected a path without a percent sign before two hexadecimal") as refused:
        Environment(warehouse=f"/data/{name}/tables")
    assert str(refused.value).startswith(f"warehouse: found {f'/data/{name}/tables'!r}")
    (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path / name)
    with pytest.raises(ValueError, match=r"warehouse: found .*/warehouse"):
        Environment()
    assert Environment(warehouse="s3://bucket/ware%20house", home="/data/home").warehouse.endswith("ware%20house")
