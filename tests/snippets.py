"""The Python of the documents: what is told to people runs as it is written."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md"), *(ROOT / "cluster").rglob("*.md")])
BLOCK = re.compile(r"(?:^<!-- needs: (?P<needs>\S+) -->\n)?^```python\n(?P<code>.*?)^```$", re.MULTILINE | re.DOTALL)


def run(document: Path, needs: str | None) -> dict[str, object]:
    """Run the blocks of a document one after another, those that need something or those that need nothing.

    Args:
        document: a file of Markdown.
        needs: what stands in the comment above a block; None: the blocks without one.

    Returns:
        The names that they have defined.
    """
    text = document.read_text()
    names: dict[str, object] = {}
    for block in BLOCK.finditer(text):
        if block["needs"] == needs:
            line = text[: block.start("code")].count("\n")
            exec(compile("\n" * line + block["code"], str(document), "exec"), names)  # noqa: S102  (what is tested)
    return names


def imports(document: Path) -> str:
    """The lines by which its blocks import, whatever they need."""
    blocks = [block["code"] for block in BLOCK.finditer(document.read_text())]
    nodes = [node for code in blocks for node in ast.parse(code).body]
    return "\n".join(ast.unparse(node) for node in nodes if isinstance(node, ast.Import | ast.ImportFrom))


def needs(document: Path) -> set[str | None]:
    """What the blocks of a document need; None among it for those that need nothing."""
    return {block["needs"] for block in BLOCK.finditer(document.read_text())}
