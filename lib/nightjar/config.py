"""Hydra: registers the settings as schemas, composes `conf/` with a command line's overrides, and makes settings of it.

Nothing outside this module knows Hydra. Everything that is wrong with a configuration is a UsageError that names the
key path, the value and what was expected; it is raised before any session starts.
"""

import dataclasses
import re
import shlex
from pathlib import Path
from typing import Any

from hydra import compose, initialize_config_dir
from hydra.core.config_store import ConfigStore
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException
from omegaconf import DictConfig, ListConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from nightjar.errors import UsageError
from nightjar.settings import jobs, secrets, words
from nightjar.settings.environment import Environment
from nightjar.settings.learning import Search
from nightjar.settings.model import Model
from nightjar.settings.project import Project
from nightjar.settings.sources import Source

ROOTS: dict[jobs.JobName, type[jobs.Job]] = {
    jobs.JobName.INGEST: jobs.Ingest,
    jobs.JobName.BUILD_FEATURES: jobs.BuildFeatures,
    jobs.JobName.TRAIN: jobs.Train,
    jobs.JobName.PROMOTE: jobs.Promote,
    jobs.JobName.SCORE: jobs.Score,
    jobs.JobName.MONITOR: jobs.Monitor,
    jobs.JobName.NIGHTLY: jobs.Nightly,
    jobs.JobName.MAINTAIN: jobs.Maintain,
    jobs.JobName.LEASES: jobs.Leases,
}
GROUPS: dict[str, type] = {
    "environment": Environment,
    "project": Project,
    "source": Source,
    "model": Model,
    "search": Search,
}
REFUSED = (HydraException, OmegaConfBaseException, YAMLError)
NOT_FORESEEN = (AssertionError, AttributeError, ValueError)
"""What Hydra and OmegaConf stumble over where a key is overridden below one that is null, or a group is null."""


def compose_job(folder: Path, job: jobs.JobName, overrides: list[str]) -> DictConfig:
    """The composed configuration of a job, with every key checked against its schema.

    Raises:
        UsageError: a file or an override cannot be parsed, or names a key, group or value that does not exist; or a
            text has to be quoted.
    """
    _register_schemas()
    kept = list(secrets.of_overrides(overrides))
    _require_readable(job, overrides)
    try:
        composed = _composed(folder, job, overrides)
    except (*REFUSED, UnicodeError) as error:
        refused = f"{job.value}: the configuration is refused: {_whole_message(error)}"
        raise UsageError(secrets.hidden(refused, kept)) from error
    except NOT_FORESEEN as error:
        said = ["what the files say", *overrides]
        wrong = next(one for count, one in enumerate(said) if _breaks(folder, job, overrides[:count]))
        refused = (
            f"{job.value}: {wrong} cannot be applied ({_whole_message(error) or type(error).__name__}). Is it below a "
            "key that is null, or null for a group? What is null is given with the key above it, as in KEY={NAME: ...}"
        )
        raise UsageError(secrets.hidden(refused, kept)) from error
    words.require_as_written(folder, OmegaConf.to_container(composed, resolve=False, enum_to_str=True))
    return composed


def masked(config: DictConfig) -> DictConfig:
    """A composed configuration as it may be shown and hashed, without its secrets: the hash of a short one tells it."""
    plain = OmegaConf.to_container(config, resolve=False, enum_to_str=True)
    shown: DictConfig = OmegaConf.create(secrets.masked(plain))
    return shown


def secrets_of(config: DictConfig) -> list[str]:
    """The secrets in a configuration. What is interpolated is there once `make_settings` has taken it."""
    return list(secrets.of_config(OmegaConf.to_container(config, enum_to_str=True)))


def make_settings(config: DictConfig) -> jobs.Job:
    """Settings from a composed configuration.

    Raises:
        UsageError: a value is missing or out of range; the message starts with the key path.
    """
    try:
        OmegaConf.resolve(config)
    except OmegaConfBaseException as error:
        raise UsageError(f"the configuration is refused: {_whole_message(error)}") from error
    made = _build(config, "")
    if not isinstance(made, jobs.Job):
        raise UsageError(f"the configuration is of type {type(made).__name__}, expected that of a job")
    return made


def _composed(folder: Path, job: jobs.JobName, overrides: list[str]) -> DictConfig:
    GlobalHydra.instance().clear()
    with initialize_config_dir(config_dir=str(folder.resolve()), version_base="1.3"):
        return compose(config_name=job.value, overrides=overrides)


def _require_readable(job: jobs.JobName, overrides: list[str]) -> None:
    """Hydra repeats pieces of what it cannot read, and does not say of which argument.

    Raises:
        UsageError: it cannot read one, or would take it for several values. Of one with secrets, only the key is told.
    """
    for override in overrides:
        try:
            is_one = not OverridesParser.create().parse_override(override).is_sweep_override()
            why = "it has several values"
        except HydraException as error:
            is_one, why = False, " ".join(str(error).split("\nSee https://")[0].split())
        if is_one:
            continue
        if list(secrets.of_overrides([override])):
            key = override.partition("=")[0]
            raise UsageError(
                f"{job.value}: the override of {key}, whose value is not shown, cannot be read. A value with other "
                f"signs than letters, digits and dots is quoted: '{key}=\"...\"'"
            ) from None
        quoted = _quoted(override)
        raise UsageError(
            f"{job.value}: the argument {override!r} cannot be read: {why}. "
            + (f"If its value is a text, quote it, for the shell too: {quoted}" if quoted else "Expected KEY=VALUE")
        ) from None


def _quoted(override: str) -> str | None:
    """An override as a shell is given it, with its value as the text that it is; None where that is none either."""
    key, sign, value = override.partition("=")
    escaped = re.sub(r'(\\*)("|$)', lambda found: 2 * found[1] + found[2].replace('"', '\\"'), value)
    quoted = f'{key}="{escaped}"'
    try:
        is_value = OverridesParser.create().parse_override(quoted).value() == value
    except HydraException:
        return None
    return shlex.quote(quoted) if sign and is_value else None


def _breaks(folder: Path, job: jobs.JobName, overrides: list[str]) -> bool:
    try:
        _composed(folder, job, overrides)
    except REFUSED:
        return False  # too few of them, so far
    except NOT_FORESEEN:
        return True
    return False


def _register_schemas() -> None:
    store = ConfigStore.instance()
    for job, root in ROOTS.items():
        store.store(name=f"{job.value}_schema", node=root)
    for group, schema in GROUPS.items():
        store.store(group=group, name="schema", node=schema)


def _build(node: Any, path: str) -> Any:
    """Build settings from the leaves up, so that an error in __post_init__ can be given its key path."""
    if isinstance(node, ListConfig):
        return [_build(item, f"{path}[{index}]") for index, item in enumerate(node)]
    if not isinstance(node, DictConfig):
        return node
    names = [str(key) for key in node]
    values = {name: _build_item(node, name, f"{path}.{name}" if path else name) for name in names}
    kind = OmegaConf.get_type(node)
    if kind is None or not dataclasses.is_dataclass(kind):
        return values
    known = [field.name for field in dataclasses.fields(kind)]
    for name in values:
        if name not in known:
            raise UsageError(f"{path + '.' if path else ''}{name}: there is no such key, expected one of {known}")
    try:
        return kind(**values)
    except ValueError as error:
        raise UsageError(f"{path + '.' if path else ''}{error}") from error


def _build_item(node: DictConfig, key: str, path: str) -> Any:
    if OmegaConf.is_missing(node, key):
        raise UsageError(f"{path}: has no value, and needs one; give {path}=...")
    return _build(node[key], path)


def _whole_message(error: BaseException) -> str:
    """Hydra and OmegaConf spread one mistake over a chain of exceptions; the reader needs each line once."""
    lines: list[str] = []
    current: BaseException | None = error
    while current is not None:
        text = str(current).split("Config search path:")[0]
        lines += [line.strip() for line in text.splitlines() if line.strip() and "To append" not in line]
        current = current.__cause__
    return "; ".join(dict.fromkeys(lines))
