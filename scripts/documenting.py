"""The program behind scripts/docs."""

from pathlib import Path

from references import configuration, schemas, tables

ROOT = Path(__file__).resolve().parents[1]


def references() -> dict[Path, str]:
    """File -> what it holds, of all that are made from the code."""
    docs, conf = ROOT / "docs", ROOT / "conf"
    pages = {docs / "tables.md": tables.page(), docs / "configuration.md": configuration.page()}
    return pages | {conf / "schemas" / name: text for name, text in schemas.files().items()}


if __name__ == "__main__":
    for path, text in references().items():
        path.write_text(text, encoding="utf-8")
