"""Messages for what Hydra and OmegaConf refuse: where, and which names exist there."""

import dataclasses
import re
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from hydra.errors import MissingConfigException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import ConfigAttributeError, ConfigKeyError, KeyValidationError, OmegaConfBaseException

from nightjar.settings import secrets
from nightjar.settings.hints import hint, unknown_key


def describe_refusal(error: Exception, folders: Sequence[Path], overrides: list[str], groups: Collection[str]) -> str:
    """The message for a refused name, with the names that exist in its place; otherwise Hydra's or OmegaConf's own.

    Args:
        error: what they raised.
        folders: the configuration's, in the order in which they are searched.
        overrides: the command line's arguments.
        groups: the groups that have a schema, whether they have files or not.
    """
    file = re.match("In '(.+?)': ", str(error))
    where = f"{_find(folders, file[1])}: " if file else ""
    group = re.search("config group '(.+?)' does not exist", str(error))
    if group:
        return _unknown_group(folders, group[1], groups)
    for cause in _causes(error):
        if isinstance(cause, MissingConfigException) and cause.missing_cfg_file:
            names_file = any(
                cause.missing_cfg_file.endswith(f"/{override.rpartition('=')[2]}") for override in overrides
            )
            return ("" if names_file else where) + _unknown_file(folders, cause.missing_cfg_file, groups)
        if isinstance(cause, ConfigKeyError | ConfigAttributeError) and isinstance(cause.parent_node, DictConfig):
            return where + unknown_entry(str(cause.full_key), cause.parent_node)
        if isinstance(cause, KeyValidationError) and cause.full_key:
            return f"{where}{cause.full_key}: found the key {cause.key!r}, expected a text; quote it as it is meant"
        names = re.match(r"Invalid value '.*', expected one of \[(.+)\]", str(cause))
        if names and isinstance(cause, OmegaConfBaseException) and cause.full_key:
            near = hint(cause.value, names[1].split(", "))
            return f"{where}{cause.full_key}: found {cause.value!r}{near}, expected one of [{names[1]}]"
    return whole_message(error)


def unknown_entry(path: str, beside: DictConfig) -> str:
    """The message for a key that settings lack, or that a mapping lacks, to which new entries may be added."""
    above = path.rpartition(".")[0]
    of_settings = dataclasses.is_dataclass(OmegaConf.get_type(beside))
    keys = [key for key in beside if above or key != "hydra"]
    return unknown_key(path, keys) + ("" if of_settings else f"; a new one is added by +{above}={{NAME: ...}}")


def _find(folders: Sequence[Path], name: str) -> Path:
    """The first file of a name, which is that of its path without the ending."""
    files = [folder / f"{name}.yaml" for folder in folders]
    return next((file for file in files if file.exists()), files[0])


def _unknown_file(folders: Sequence[Path], name: str, groups: Collection[str]) -> str:
    """The message for a missing option of a group, or a missing file that another one includes."""
    group, _, option = name.rpartition("/")
    options = {file.stem for folder in folders for file in (folder / group).glob("*.yaml")}
    options |= {"schema"} if group in groups else set()
    if not options:
        return _unknown_group(folders, group, groups)
    return f"there is no {option!r} in {group or folders[0]}{hint(option, options)}, expected one of {sorted(options)}"


def _unknown_group(folders: Sequence[Path], group: str, groups: Collection[str]) -> str:
    files = [(folder, file) for folder in folders for file in folder.glob("*/**/*.yaml")]
    group_names = {file.parent.relative_to(folder).as_posix() for folder, file in files} | set(groups)
    return f"there is no group {group!r}{hint(group, group_names)}, expected one of {sorted(group_names)}"


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
