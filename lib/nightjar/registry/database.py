"""Checks of MLflow's database: MLflow creates a new one where none exists, and waits minutes for one it cannot open."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from nightjar.errors import ModelError

NAME = "mlflow.db"


def exists(home: Path) -> bool:
    """Whether the home has a database, whole or not."""
    return (home / NAME).exists()


def require(home: Path) -> None:
    """Check that the database exists and is whole, before MLflow opens it.

    Raises:
        ModelError: it is missing or damaged.
    """
    path = home.absolute() / NAME
    if not path.exists():
        raise ModelError(
            f"There is no MLflow database {path}, which knows where models lie: none can be opened or registered, and "
            "a new one would know none of them. Is environment.home the one that models were trained with? Restore the "
            "file from a backup: docs/runbook.md, MLflow's database."
        )
    try:
        # Not read-only: opening rolls back the unfinished transaction of a killed process.
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=rw", uri=True)) as connection:
            (check,) = connection.execute("PRAGMA quick_check(1)").fetchone()
            tables = connection.execute("SELECT count(*) FROM sqlite_master WHERE name = 'alembic_version'").fetchone()
    except sqlite3.DatabaseError as error:
        raise _damage_error(path, str(error)) from error
    if check != "ok":
        raise _damage_error(path, " ".join(str(check).split()))
    if tables != (1,):
        raise _damage_error(path, "it holds no table of MLflow's")


@contextmanager
def model_errors(home: Path, attempt: str, advice: str) -> Iterator[None]:
    """Raise failures of MLflow and its database as ModelErrors.

    Args:
        home: of the database.
        attempt: completes "MLflow in ..." in the message.
        advice: what to do.

    Raises:
        ModelError: MLflow or its database failed.
    """
    # They take seconds to load, which those who only look something up need not wait for.
    from mlflow.exceptions import MlflowException  # noqa: PLC0415
    from sqlalchemy.exc import SQLAlchemyError  # noqa: PLC0415

    try:
        yield
    except (MlflowException, SQLAlchemyError) as error:
        message = " ".join(str(error).split("[SQL:", 1)[0].split()).rstrip(".")
        raise ModelError(f"MLflow in {home} {attempt}: {message}. {advice}") from error


def _damage_error(path: Path, how: str) -> ModelError:
    return ModelError(
        f"The MLflow database {path} is damaged: {how}. No model can be opened or registered. Restore the file from a "
        "backup: docs/runbook.md, MLflow's database."
    )
