"""The Python of README and docs runs as it is written; of blocks that need a warehouse, the imports do."""

import pytest

import snippets

ALL = {document: snippets.needs(document) for document in snippets.DOCUMENTS}


@pytest.mark.parametrize("document", [one for one, needs in ALL.items() if None in needs], ids=lambda one: one.name)
def test_blocks_that_need_nothing_run_one_after_another(document):
    snippets.run(document, None)


def test_the_kernel_gives_what_the_readme_says_beside_it():
    features = snippets.run(snippets.ROOT / "README.md", None)["features"]
    assert features["flights__delay"].to_pylist() == [-4.0, None]
    assert features["flights__delay_mean_7d"].to_pylist() == [13.0, None]


@pytest.mark.parametrize("document", [one for one, needs in ALL.items() if needs], ids=lambda one: one.name)
def test_every_block_is_python_and_what_it_imports_is_there(document):
    """Of blocks that need a warehouse, too."""
    exec(snippets.imports(document), {})  # noqa: S102  (what is tested)


def test_no_block_is_left_out():
    """A comment that nobody reads, or a fence of another form, would hide one."""
    assert set().union(*ALL.values()) == {None, "warehouse/flights"}
    texts = [document.read_text() for document in ALL]
    blocks = sum(len(snippets.BLOCK.findall(text)) for text in texts)
    assert blocks == sum(text.lower().count("```py") + text.count("~~~") for text in texts) > 0
