"""The program behind scripts/docs."""

from pathlib import Path

from nightjar.models.estimators.interfaces import FILE
from references import configuration, interfaces, schemas, tables

ROOT = Path(__file__).resolve().parents[1]


def references() -> dict[Path, str]:
    """File -> what it holds, of all that are made from the code."""
    docs, conf = ROOT / "docs", ROOT / "conf"
    pages = {docs / "tables.md": tables.page(), docs / "configuration.md": configuration.page()}
    of_editors = {conf / "schemas" / name: text for name, text in schemas.files().items()}
    return pages | of_editors | {FILE: interfaces.text()}


if __name__ == "__main__":
    FILE.write_text(interfaces.text(), encoding="utf-8")  # first: pages say what is in it
    for path, text in references().items():
        path.write_text(text, encoding="utf-8")
