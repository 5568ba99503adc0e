"""The Python of the documents: what is told to people runs as it is written."""

import ast
import doctest
import re
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md"), *(ROOT / "cluster").rglob("*.md")])
BLOCK = re.compile(r"(?:^<!-- needs: (?P<needs>\S+) -->\n)?^```python\n(?P<code>.*?)^```$", re.MULTILINE | re.DOTALL)
SESSION = re.compile(r"^```pycon\n(?P<code>.*?)^```$", re.MULTILINE | re.DOTALL)


def run(document: Path, needs: str | None, instead: Mapping[str, str] | None = None) -> dict[str, object]:
    """Run the blocks of a document one after another, those that need something or those that need nothing.

    Args:
        document: a file of Markdown.
        needs: what stands in the comment above a block; None: the blocks without one.
        instead: text of the blocks -> the text that replaces it, such as the name of another project.

    Returns:
        The names that they have defined.
    """
    text = document.read_text()
    names: dict[str, object] = {}
    for block in BLOCK.finditer(text):
        if block["needs"] == needs:
            code = block["code"]
            for old, new in (instead or {}).items():
                code = code.replace(old, new)
            line = text[: block.start("code")].count("\n")
            exec(compile("\n" * line + code, str(document), "exec"), names)  # noqa: S102  (what is tested)
    return names


def run_sessions(document: Path) -> doctest.TestResults:
    """Run the examples with prompts of a document one after another, and compare what they print."""
    text = document.read_text()
    runner, names = doctest.DocTestRunner(), {}
    for block in SESSION.finditer(text):
        line = text[: block.start("code")].count("\n")
        examples = doctest.DocTestParser().get_doctest(block["code"], names, document.name, str(document), line)
        runner.run(examples, clear_globs=False)
        names = examples.globs
    return runner.summarize(verbose=False)


def imports(document: Path, needs: str | None) -> str:
    """The lines by which the blocks that need something, or nothing, import."""
    blocks = [block["code"] for block in BLOCK.finditer(document.read_text()) if block["needs"] == needs]
    nodes = [node for code in blocks for node in ast.parse(code).body]
    return "\n".join(ast.unparse(node) for node in nodes if isinstance(node, ast.Import | ast.ImportFrom))


def needs(document: Path) -> set[str | None]:
    """What the blocks of a document need; None among it for those that need nothing."""
    return {block["needs"] for block in BLOCK.finditer(document.read_text())}
