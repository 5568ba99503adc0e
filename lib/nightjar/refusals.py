"""What Hydra and OmegaConf refuse, in words that say where and what is known there."""

import dataclasses
import re
from collections.abc import Collection, Iterator
from pathlib import Path

from hydra.errors import MissingConfigException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import ConfigAttributeError, ConfigKeyError, KeyValidationError, OmegaConfBaseException

from nightjar.settings import secrets
from nightjar.settings.hints import hint, unknown_key


def wording(error: Exception, folder: Path, overrides: list[str], groups: Collection[str]) -> str:
    """A name that is refused with those that are known in its place; anything else as Hydra and OmegaConf say it.

    Args:
        error: what they have raised.
        folder: of the configuration.
        overrides: the command line.
        groups: those that have a schema, whether there are files of theirs or not.
    """
    file = re.match("In '(.+?)': ", str(error))
    where = f"{folder / file[1]}.yaml: " if file else ""
    group = re.search("config group '(.+?)' does not exist", str(error))
    if group:
        return _unknown_group(folder, group[1], groups)
    for one in _causes(error):
        if isinstance(one, MissingConfigException) and one.missing_cfg_file:
            is_given = any(one.missing_cfg_file.endswith(f"/{said.rpartition('=')[2]}") for said in overrides)
            return ("" if is_given else where) + _unknown_file(folder, one.missing_cfg_file, groups)
        if isinstance(one, ConfigKeyError | ConfigAttributeError) and isinstance(one.parent_node, DictConfig):
            return where + unknown_entry(str(one.full_key), one.parent_node)
        if isinstance(one, KeyValidationError) and one.full_key:
            return f"{where}{one.full_key}: found the key {one.key!r}, expected a text; quote it as it is meant"
        names = re.match(r"Invalid value '.*', expected one of \[(.+)\]", str(one))
        if names and isinstance(one, OmegaConfBaseException) and one.full_key:
            near = hint(one.value, names[1].split(", "))
            return f"{where}{one.full_key}: found {one.value!r}{near}, expected one of [{names[1]}]"
    return whole_message(error)


def unknown_entry(path: str, beside: DictConfig) -> str:
    """What is told of a key that settings do not have, or a mapping of them, which may be given new ones."""
    above = path.rpartition(".")[0]
    of_settings = dataclasses.is_dataclass(OmegaConf.get_type(beside))
    known = [key for key in beside if above or key != "hydra"]
    return unknown_key(path, known) + ("" if of_settings else f"; a new one is added by +{above}={{NAME: ...}}")


def _unknown_file(folder: Path, name: str, groups: Collection[str]) -> str:
    """A group's option, or a file that another one includes, that there is not."""
    group, _, option = name.rpartition("/")
    options = {file.stem for file in (folder / group).glob("*.yaml")} | ({"schema"} if group in groups else set())
    if not options:
        return _unknown_group(folder, group, groups)
    return f"there is no {option!r} in {group or folder}{hint(option, options)}, expected one of {sorted(options)}"


def _unknown_group(folder: Path, group: str, groups: Collection[str]) -> str:
    known = {file.parent.relative_to(folder).as_posix() for file in folder.glob("*/**/*.yaml")} | set(groups)
    return f"there is no group {group!r}{hint(group, known)}, expected one of {sorted(known)}"


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def secrets_in(error: BaseException) -> Iterator[str]:
    """Those of a file, in a value that OmegaConf repeats."""
    for one in _causes(error):
        if isinstance(one, OmegaConfBaseException) and one.full_key:
            value = OmegaConf.to_container(one.value) if OmegaConf.is_config(one.value) else one.value
            yield from secrets.of_config(value, tuple(one.full_key.split(".", 1)))


def whole_message(error: BaseException) -> str:
    """Hydra and OmegaConf spread one mistake over a chain of exceptions; the reader needs each line once."""
    lines: list[str] = []
    current: BaseException | None = error
    while current is not None:
        text = str(current).split("Config search path:")[0]
        lines += [line.strip() for line in text.splitlines() if line.strip() and "To append" not in line]
        current = current.__cause__
    return "; ".join(dict.fromkeys(lines))
