"""MLflow's database in a home. MLflow makes a new one where there is none, and waits minutes for one it cannot open."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from mlflow.exceptions import MlflowException
from sqlalchemy.exc import SQLAlchemyError

from nightjar.errors import ModelError

NAME = "mlflow.db"


def exists(home: Path) -> bool:
    """Whether the home has one, whole or not."""
    return (home / NAME).exists()


def require(home: Path) -> None:
    """Look whether the database is there and whole, before MLflow opens it.

    Raises:
        ModelError: it is not.
    """
    path = home.absolute() / NAME
    if not path.exists():
        raise ModelError(
            f"There is no MLflow database {path}, which knows where models lie: none can be opened or registered, and "
            "a new one would know none of them. Is environment.home the one that models were trained with? Restore the "
            "file from a backup: docs/runbook.md, MLflow's database."
        )
    try:
        # Not read-only: what a process that was killed has left half done is undone when it is opened.
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=rw", uri=True)) as opened:
            (found,) = opened.execute("PRAGMA quick_check(1)").fetchone()
            tables = opened.execute("SELECT count(*) FROM sqlite_master WHERE name = 'alembic_version'").fetchone()
    except sqlite3.DatabaseError as error:
        raise _damaged(path, str(error)) from error
    if found != "ok":
        raise _damaged(path, " ".join(str(found).split()))
    if tables != (1,):
        raise _damaged(path, "it holds no table of MLflow's")


@contextmanager
def failures_stated(home: Path, attempted: str, advice: str) -> Iterator[None]:
    """Say it in words when MLflow fails, or its database.

    Args:
        home: where it is.
        attempted: what follows "MLflow in ...".
        advice: what to do.

    Raises:
        ModelError: it did.
    """
    try:
        yield
    except (MlflowException, SQLAlchemyError) as error:
        said = " ".join(str(error).split("[SQL:", 1)[0].split()).rstrip(".")
        raise ModelError(f"MLflow in {home} {attempted}: {said}. {advice}") from error


def _damaged(path: Path, how: str) -> ModelError:
    return ModelError(
        f"The MLflow database {path} is damaged: {how}. No model can be opened or registered. Restore the file from a "
        "backup: docs/runbook.md, MLflow's database."
    )
