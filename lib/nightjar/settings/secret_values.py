"""The value of a secret, read from where settings say when it is needed. No job writes it anywhere."""

import os
from pathlib import Path

from nightjar.settings.connections import SecretReference


def read(reference: SecretReference) -> tuple[str, str]:
    """A secret, and why it is not there, in words; one of the two is empty.

    Example:
        >>> read(SecretReference(env="NO_SUCH_VARIABLE"))
        ('', 'the environment variable NO_SUCH_VARIABLE is not set')
    """
    return _of_variable(reference.env or "") if reference.file is None else _of_file(reference.file)


def _of_variable(name: str) -> tuple[str, str]:
    value = os.environ.get(name)
    if value is None:
        return "", f"the environment variable {name} is not set"
    return value, "" if value else f"the environment variable {name} is empty"


def _of_file(path: str) -> tuple[str, str]:
    try:
        value = Path(path).read_text(encoding="utf-8").removesuffix("\n").removesuffix("\r")
    except OSError as error:
        return "", f"the file {path} cannot be read ({error.strerror})"
    except UnicodeDecodeError:
        return "", f"the file {path} is no text in UTF-8"
    return value, "" if value else f"the file {path} is empty"
