"""Messages for what Hydra and OmegaConf refuse while they compose: where, and which names exist there."""

import dataclasses
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from hydra.errors import MissingConfigException
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from nightjar.settings import secrets
from nightjar.settings.hints import hint, unknown_key
from nightjar.settings.validation import fields_at


def describe_refusal(error: Exception, folders: Sequence[Path], arguments: Sequence[str], root: type) -> str:
    """The message for a refused name, with the names that exist in its place; otherwise Hydra's or OmegaConf's own.

    Args:
        error: what they raised.
        folders: the configuration's, in the order in which they are searched.
        arguments: of the command line.
        root: the job's settings.
    """
    message = str(error)
    file = re.match("In '(.+?)': ", message)
    where = f"{file_of(folders, file[1])}: " if file else ""
    if group := re.search("config group '(.+?)' does not exist", message):
        return _unknown_group(folders, group[1])
    if group := re.match("Could not override '(.+?)'. No match in the defaults list", message):
        return unknown_key(group[1], [field.name for field in dataclasses.fields(root)])
    if deleted := re.search("Could not delete from config. '(.+?)' does not exist", message):
        names = fields_at(root, tuple(deleted[1].split(".")[:-1]))
        return unknown_key(deleted[1], names) if names else whole_message(error)
    for cause in _causes(error):
        if isinstance(cause, MissingConfigException) and cause.missing_cfg_file:
            name = cause.missing_cfg_file
            is_chosen = any(name.endswith(f"/{argument.rpartition('=')[2]}") for argument in arguments)
            return ("" if is_chosen else where) + _unknown_file(folders, name)
    return whole_message(error)


def options(folders: Sequence[Path], group: str) -> list[str]:
    """The files of a group, by the names that choose them."""
    return sorted({file.stem for folder in folders for file in (folder / group).glob("*.yaml")})


def file_of(folders: Sequence[Path], name: str) -> Path:
    """The first file of a name, which is that of its path without the ending."""
    files = [folder / f"{name}.yaml" for folder in folders]
    return next((file for file in files if file.exists()), files[0])


def _unknown_file(folders: Sequence[Path], name: str) -> str:
    """The message for a missing option of a group, or a missing file that another one includes."""
    group, _, option = name.rpartition("/")
    names = options(folders, group)
    if not names:
        return _unknown_group(folders, group)
    return f"there is no {option!r} in {group or folders[0]}{hint(option, names)}, expected one of {names}"


def _unknown_group(folders: Sequence[Path], group: str) -> str:
    files = [(folder, file) for folder in folders for file in folder.glob("*/**/*.yaml")]
    groups = {file.parent.relative_to(folder).as_posix() for folder, file in files}
    return f"there is no group {group!r}{hint(group, groups)}, expected one of {sorted(groups)}"


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def secrets_in(error: BaseException) -> Iterator[str]:
    """The secrets in values that OmegaConf's messages repeat."""
    for cause in _causes(error):
        if isinstance(cause, OmegaConfBaseException) and cause.full_key:
            value = OmegaConf.to_container(cause.value) if OmegaConf.is_config(cause.value) else cause.value
            yield from secrets.of_config(value, tuple(cause.full_key.split(".", 1)))


def whole_message(error: BaseException) -> str:
    """Hydra and OmegaConf spread one mistake over a chain of exceptions; the reader needs each line once."""
    lines: list[str] = []
    current: BaseException | None = error
    while current is not None:
        text = str(current).split("Config search path:")[0]
        lines += [line.strip() for line in text.splitlines() if line.strip() and "To append" not in line]
        current = current.__cause__
    return "; ".join(dict.fromkeys(lines))
