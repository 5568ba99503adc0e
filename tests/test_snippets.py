"""The Python of README and docs runs as it is written; what needs a warehouse runs on the tiny project's one."""

from datetime import date

import pyarrow.compute as pc
import pytest

import snippets
from nightjar.runtime import spark as spark_runtime
from nightjar.tables import arrow
from system import tree

ALL = {document: snippets.needs(document) for document in snippets.DOCUMENTS}
HERE = {None, "warehouse/flights"}
"""What is there for the suite; other libraries that documents mention are not."""
TINY = {
    "flights": "machines",
    "2013-10-03": tree.NIGHT,
    "date(2013, 10, 3)": repr(date.fromisoformat(tree.NIGHT)).removeprefix("datetime."),
    "tailnum = 'N14228'": "machine = 'm1'",
    "carrier, flight, origin": "machine",
    '"carrier", "flight", "origin"': '"machine"',
}
"""Text of the documents -> the same about the tiny project."""


def documents(needs):
    return [document for document, needed in ALL.items() if needs in needed]


@pytest.mark.parametrize("document", documents(None), ids=lambda one: one.name)
def test_blocks_that_need_nothing_run_one_after_another(document):
    snippets.run(document, None)


@pytest.mark.parametrize(
    "document", [one for one in ALL if snippets.SESSION.search(one.read_text())], ids=lambda one: one.name
)
def test_examples_with_prompts_print_what_stands_below_them(document):
    outcome = snippets.run_sessions(document)
    assert outcome.attempted > 0
    assert outcome.failed == 0


def test_the_kernel_gives_what_the_readme_says_beside_it():
    features = snippets.run(snippets.ROOT / "README.md", None)["features"]
    assert features["flights__delay"].to_pylist() == [-4.0, None]
    assert features["flights__delay_mean_7d"].to_pylist() == [13.0, None]


@pytest.mark.parametrize("document", documents("warehouse/flights"), ids=lambda one: one.name)
def test_blocks_that_need_a_warehouse_run_on_that_of_the_tiny_project(
    document, nights, spark, tmp_path, monkeypatch, tmp_path_factory
):
    """In a folder like that of a checkout after some nights, with the tests' own Spark."""
    built = tree.built(tmp_path_factory, spark)
    for name in ("conf", "warehouse", ".nightjar"):
        (tmp_path / name).symlink_to(built / name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(spark_runtime, "start", lambda *_: spark)
    names = snippets.run(document, "warehouse/flights", TINY)
    if "predicted" in names:
        stored = arrow.read(names["warehouse"], "scores", where=pc.field("run_date") == names["night"])
        assert sorted(names["predicted"]) == sorted(stored["score"].to_pylist())


@pytest.mark.parametrize("document", [one for one, needs in ALL.items() if needs], ids=lambda one: one.name)
def test_every_block_is_python_and_what_it_imports_is_there(document):
    """As far as the suite has it."""
    for need in ALL[document]:
        lines = snippets.imports(document, need)
        if need in HERE:
            exec(lines, {})  # noqa: S102  (what is tested)


def test_no_block_is_left_out():
    """A comment that nobody reads, or a fence of another form, would hide one."""
    assert set().union(*ALL.values()) == HERE | {"duckdb", "polars", "spark"}
    texts = [document.read_text() for document in ALL]
    blocks = sum(len(form.findall(text)) for text in texts for form in (snippets.BLOCK, snippets.SESSION))
    assert blocks == sum(text.lower().count("```py") + text.count("~~~") for text in texts) > 0
