"""The password of a database, read from where settings say when it is needed. No job writes it anywhere."""

from collections.abc import Iterator, Mapping
from contextlib import suppress

from nightjar.errors import SourceError
from nightjar.settings import secret_values
from nightjar.settings.connections import Database, SecretReference
from nightjar.settings.sources import Source


def read(database: Database, source: str) -> str | None:
    """The password; None where settings name none.

    Raises:
        SourceError: it is not where they say.
    """
    reference = database.password
    if reference is None:
        return None
    password, problem = secret_values.read(reference)
    if problem:
        raise SourceError(
            f"Source {source}: the password of {database.user} for {database.place} is not there: {problem}. Put it "
            f"there for this job, or correct project.sources.{source}.database.password. Nothing was written."
        )
    return password


def present(sources: Mapping[str, Source]) -> Iterator[str]:
    """Those of all databases, of sources by name, that are where settings say."""
    for name, source in sources.items():
        with suppress(SourceError):
            password = None if source.database is None else read(source.database, name)
            yield from [] if password is None else [password]


def place(reference: SecretReference | None) -> str:
    """Where a password comes from, in words."""
    if reference is None:
        return "none is named"
    return (
        f"that of the environment variable {reference.env}" if reference.file is None else f"that of {reference.file}"
    )
