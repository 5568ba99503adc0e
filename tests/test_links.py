"""What documents and messages send their readers to is there, and tables have as many cells as their heads."""

import ast
import re

import pytest

import snippets

ROOT = snippets.ROOT
DOCUMENTS = sorted([*snippets.DOCUMENTS, ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md"])
LINK = re.compile(r"\]\(([^)\s]+)\)")
FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
REFERENCE = re.compile(r"((?:docs/|cluster/)?\w+\.md)(?:, ([A-Z][^.:,)]+))?")
"""A document as messages name it, with the heading to look under."""


def prose(document):
    return FENCED.sub("", document.read_text())


def headings(document):
    return re.findall(r"^#+ (.+)$", prose(document), re.MULTILINE)


def anchor(heading):
    """The anchor that GitHub gives a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda one: one.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(document):
    dead = []
    for link in LINK.findall(prose(document)):
        if re.match(r"https?://", link):
            continue
        path, _, section = link.partition("#")
        target = (document.parent / path).resolve() if path else document
        if not target.exists() or (section and section not in map(anchor, headings(target))):
            dead.append(link)
    assert dead == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda one: one.relative_to(ROOT).as_posix())
def test_rows_of_tables_have_the_cells_of_their_heads(document):
    """GitHub leaves out cells that are too many, without a word."""
    for table in re.findall(r"(?:^\|.*\n)+", prose(document), re.MULTILINE):
        cells = {line: len(re.findall(r"(?<!\\)\|", line)) for line in table.splitlines()}
        assert len(set(cells.values())) == 1, min(cells, key=cells.get)
        assert re.fullmatch(r"\|(?:-+\|)+", table.splitlines()[1])


def texts(module):
    """The texts in a module, those with values in them without the values."""
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.JoinedStr):
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else "?" for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def test_messages_name_documents_and_headings_that_exist():
    references = {
        reference
        for module in sorted((ROOT / "lib").rglob("*.py"))
        if ".md" in module.read_text()
        for text in texts(module)
        for reference in REFERENCE.findall(text)
    }
    assert len(references) > 5
    for name, heading in references:
        document = ROOT / name
        assert document.exists(), name
        assert not heading or heading in headings(document), (name, heading)


def test_the_architecture_names_every_part():
    described = set(re.findall(r"`(\w+)`", (ROOT / "docs" / "architecture.md").read_text()))
    parts = {module.relative_to(ROOT / "lib" / "nightjar").parts[0] for module in (ROOT / "lib").rglob("*/__init__.py")}
    assert {part for part in parts if part != "__init__.py"} <= described


def test_the_readme_is_short():
    """What a newcomer reads in ten minutes; the rest is linked."""
    assert len((ROOT / "README.md").read_text().split()) < 1500
