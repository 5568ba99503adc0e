"""Hydra: registers the settings as schemas, composes `conf/` with a command line's overrides, and makes settings of it.

Nothing but this module, `overrides` and `refusals` knows Hydra. Everything that is wrong with a configuration is a
UsageError that names the key path, the value and what was expected; it is raised before any session starts.
"""

import dataclasses
import re
from pathlib import Path
from typing import Any, ClassVar, get_args, get_origin, get_type_hints

from hydra import compose, initialize_config_dir
from hydra.core.config_search_path import ConfigSearchPath
from hydra.core.config_store import ConfigStore
from hydra.core.global_hydra import GlobalHydra
from hydra.core.plugins import Plugins
from hydra.errors import HydraException
from hydra.plugins.search_path_plugin import SearchPathPlugin
from omegaconf import DictConfig, ListConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from nightjar import overrides as arguments
from nightjar import refusals
from nightjar.errors import UsageError
from nightjar.settings import jobs, secrets, words
from nightjar.settings.environment import Environment
from nightjar.settings.hints import unknown_key
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
BASE = Path(__file__).resolve().with_name("_conf").resolve()
"""The configuration that comes with Nightjar: every project's is looked up in its own folder first, then here."""
REFUSED = (HydraException, OmegaConfBaseException, YAMLError)
NOT_FORESEEN = (AssertionError, AttributeError, ValueError)
"""What Hydra and OmegaConf raise where a key below one that is null is overridden, or a group is null."""


def compose_job(folder: Path, job: jobs.JobName, overrides: list[str]) -> DictConfig:
    """The composed configuration of a job, with every key checked against its schema.

    Raises:
        UsageError: a file or an override cannot be parsed, or names a key, group or value that does not exist; or a
            text has to be quoted.
    """
    _register_schemas()
    secret_texts = list(secrets.of_overrides(overrides))
    arguments.require_readable(job.value, overrides)
    try:
        composed = _compose(folder, job, overrides)
    except (*REFUSED, UnicodeError) as error:
        why = _unknown_place(folder, job, overrides, error) or refusals.describe_refusal(
            error, search_path(folder), overrides, GROUPS
        )
        message = f"{job.value}: the configuration is refused: {why}"
        raise UsageError(secrets.hide(message, [*secret_texts, *refusals.secrets_in(error)])) from error
    except NOT_FORESEEN as error:
        arguments_so_far = ["what the files say", *overrides]
        culprit = next(
            argument for count, argument in enumerate(arguments_so_far) if _breaks(folder, job, overrides[:count])
        )
        why = refusals.whole_message(error) or type(error).__name__
        message = (
            f"{job.value}: {culprit} cannot be applied ({why}). Is it below a key that is null, or null for a group? "
            "What is null is given with the key above it, as in KEY={NAME: ...}"
        )
        raise UsageError(secrets.hide(message, secret_texts)) from error
    plain = OmegaConf.to_container(composed, resolve=False, enum_to_str=True)
    for place in search_path(folder):
        words.require_as_written(place, plain)
    arguments.require_as_written(overrides, plain)
    return composed


def search_path(folder: Path) -> list[Path]:
    """The folders in which configuration is looked up: the project's own, then `BASE`."""
    return list(dict.fromkeys([folder.resolve(), BASE]))


def mask(config: DictConfig) -> DictConfig:
    """A composed configuration to show and to hash, without its secrets: a hash of a short secret would reveal it."""
    plain = OmegaConf.to_container(config, resolve=False, enum_to_str=True)
    shown: DictConfig = OmegaConf.create(secrets.mask(plain))
    return shown


def secrets_of(config: DictConfig) -> list[str]:
    """The secrets in a configuration; interpolated ones only after `make_settings` has resolved them."""
    return list(secrets.of_config(OmegaConf.to_container(config, enum_to_str=True)))


def make_settings(config: DictConfig) -> jobs.Job:
    """Settings from a composed configuration.

    Raises:
        UsageError: a value is missing or out of range; the message starts with the key path.
    """
    try:
        OmegaConf.resolve(config)
    except OmegaConfBaseException as error:
        raise UsageError(f"the configuration is refused: {refusals.whole_message(error)}") from error
    settings = _build(config, "")
    if not isinstance(settings, jobs.Job):
        raise UsageError(f"the configuration is of type {type(settings).__name__}, expected that of a job")
    return settings


def _compose(folder: Path, job: jobs.JobName, overrides: list[str]) -> DictConfig:
    GlobalHydra.instance().clear()
    Plugins.instance().register(_ProjectFirst)
    _ProjectFirst.folders = search_path(folder)[:-1]
    with initialize_config_dir(config_dir=str(BASE), version_base="1.3"):
        return compose(config_name=job.value, overrides=overrides)


class _ProjectFirst(SearchPathPlugin):
    """Puts the project's folder before `BASE`: `hydra.searchpath` can only append one."""

    folders: ClassVar[list[Path]] = []

    def manipulate_search_path(self, search_path: ConfigSearchPath) -> None:
        for folder in self.folders:
            search_path.prepend("project", f"file://{folder}", "main")


def _breaks(folder: Path, job: jobs.JobName, overrides: list[str]) -> bool:
    try:
        _compose(folder, job, overrides)
    except REFUSED:
        return False  # refused because overrides are missing
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
    fields = [field.name for field in dataclasses.fields(kind)]
    for name in values:
        if name not in fields:
            raise UsageError(unknown_key(f"{path}.{name}" if path else name, fields))
    for name, hint in get_type_hints(kind).items():
        _require_items(hint, values[name], f"{path}.{name}" if path else name)
    try:
        return kind(**values)
    except ValueError as error:
        raise UsageError(f"{path + '.' if path else ''}{error}") from error


def _require_items(hint: Any, value: Any, path: str) -> None:
    """Refuse lists and mappings in a list or mapping of texts or numbers, which OmegaConf merges silently."""
    if get_origin(hint) not in (list, dict):
        return
    element = get_args(hint)[-1]
    for key, item in value.items() if isinstance(value, dict) else enumerate(value):
        where = f"{path}.{key}" if isinstance(value, dict) else f"{path}[{key}]"
        fits = element is Any or dataclasses.is_dataclass(element) or not isinstance(item, list | dict)
        if not fits and not isinstance(item, get_origin(element) or ()):
            shown = secrets.mask(item, tuple(where.split(".", 1)))
            raise UsageError(f"{where}: found {shown!r}, expected one value of type {element.__name__}")
        _require_items(element, item, where)


def _build_item(node: DictConfig, key: str, path: str) -> Any:
    if OmegaConf.is_missing(node, key):
        raise UsageError(f"{path}: has no value, and needs one; give {path}=...")
    return _build(node[key], path)


def _unknown_place(folder: Path, job: jobs.JobName, overrides: list[str], error: Exception) -> str | None:
    """The message for a group that the job lacks, or a key below an entry that does not exist; Hydra's is no help."""
    message = str(error)
    group = re.match("Could not override '(.+?)'. No match in the defaults list", message)
    keys = [field.name for field in dataclasses.fields(ROOTS[job])]
    if group and group[1] not in keys:
        return unknown_key(group[1], keys)
    for number, override in enumerate(overrides):
        key = arguments.parse(override).key_or_group
        is_added = override.startswith("+") and message.endswith(f"override {override}")
        if not is_added and f"config. '{key}' does not exist" not in message:
            continue
        try:
            node: Any = _compose(folder, job, overrides[:number] + overrides[number + 1 :])
        except (*REFUSED, *NOT_FORESEEN):
            return None
        parts = key.split(".")
        for count, part in enumerate(parts):
            if not isinstance(node, DictConfig):
                return None
            if part not in node:
                return refusals.unknown_entry(".".join(parts[: count + 1]), node)
            node = OmegaConf.select(node, part)
    return None
