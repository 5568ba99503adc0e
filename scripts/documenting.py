"""The program behind scripts/docs."""

from pathlib import Path

from references import configuration, schemas, tables

ROOT = Path(__file__).resolve().parents[1]


def references() -> dict[Path, str]:
    """File -> what it holds, of all that are made from the code."""
    made = {ROOT / "conf" / "schemas" / name: text for name, text in schemas.files().items()}
    return made | {ROOT / "docs" / "tables.md": tables.page(), ROOT / "docs" / "configuration.md": configuration.page()}


if __name__ == "__main__":
    for path, text in references().items():
        path.write_text(text, encoding="utf-8")
