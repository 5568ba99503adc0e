"""Hydra composes `conf/` with a command line's overrides; pydantic makes settings of it.

Nothing but this module, `overrides` and `refusals` knows Hydra. Everything that is wrong with a configuration is one
UsageError that names key path, value, place and what was expected, a line each; it is raised before any session starts.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path
from typing import Any, ClassVar

from hydra import compose, initialize_config_dir
from hydra.core.config_search_path import ConfigSearchPath
from hydra.core.config_store import ConfigStore
from hydra.core.global_hydra import GlobalHydra
from hydra.core.plugins import Plugins
from hydra.errors import HydraException
from hydra.plugins.search_path_plugin import SearchPathPlugin
from hydra.types import RunMode
from omegaconf import MISSING, DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from pydantic import ValidationError
from yaml import YAMLError

from nightjar import origins, overrides, refusals
from nightjar.errors import UsageError
from nightjar.settings import filling, jobs, secrets, validation
from nightjar.settings.roots import ROOTS
from nightjar.settings.validation import Path as KeyPath

BASE = Path(__file__).resolve().with_name("_conf").resolve()
"""The configuration that comes with Nightjar: every project's is looked up in its own folder first, then here."""
OLD_SCHEMAS = ("environment", "project", "source", "model", "search")
"""Groups whose files may begin with a line `schema`: they did while Hydra validated. Today it says nothing."""
REFUSED = (HydraException, OmegaConfBaseException, YAMLError, UnicodeError)


@dataclass(frozen=True)
class Composed:
    """A job's configuration, with the defaults of all settings in it.

    Attributes:
        job: whose.
        folders: of the files, in the order in which they are searched.
        arguments: of the command line, as Hydra gets them.
        config: what they say together, mappings and values alone.
        altered: key path -> text that a boolean or number has become, since a text is expected there.
    """

    job: jobs.JobName
    folders: list[Path]
    arguments: list[str]
    config: DictConfig
    altered: dict[KeyPath, str]


def compose_job(folder: Path, job: jobs.JobName, arguments: list[str]) -> Composed:
    """The composed configuration of a job. It is not validated yet.

    Raises:
        UsageError: a file or an argument cannot be read, or names a group or file that does not exist.
    """
    folders = search_path(folder)
    overrides.require_readable(job.value, folders, arguments, filling.texts(ROOTS[job]))
    forced = [overrides.force(folders, argument, filling.texts(ROOTS[job])) for argument in arguments]
    of_hydra, texts = overrides.partition(forced, filling.texts(ROOTS[job]))
    try:
        with _hydra(folders):
            config = compose(config_name=job.value, overrides=of_hydra)
        for key, value in texts.items():
            OmegaConf.update(config, key, value, force_add=True)
    except REFUSED as error:
        why = refusals.describe_refusal(error, folders, arguments, ROOTS[job])
        message = f"{job.value}: the configuration is refused: {why}"
        hidden = [*secrets.of_overrides(arguments), *refusals.secrets_in(error)]
        raise UsageError(secrets.hide(message, hidden)) from error
    altered: dict[KeyPath, str] = {}
    filled = filling.fill(ROOTS[job], OmegaConf.to_container(config, resolve=False), altered)
    return Composed(job, folders, forced, OmegaConf.create(filled), altered)


def search_path(folder: Path) -> list[Path]:
    """The folders in which configuration is looked up: the project's own, then `BASE`."""
    return list(dict.fromkeys([folder.resolve(), BASE]))


def mask(composed: Composed) -> DictConfig:
    """A composed configuration to show and to hash, without its secrets: a hash of a short secret would reveal it."""
    plain = OmegaConf.to_container(composed.config, resolve=False)
    shown: DictConfig = OmegaConf.create(secrets.mask(plain))
    return shown


def digest(composed: Composed) -> str:
    """SHA-256 of a composed configuration without its secrets."""
    return hashlib.sha256(OmegaConf.to_yaml(mask(composed), sort_keys=True).encode()).hexdigest()


def secrets_of(composed: Composed) -> list[str]:
    """The secrets in a configuration; interpolated ones only after `make_settings` has resolved them."""
    return list(secrets.of_config(OmegaConf.to_container(composed.config)))


def make_settings(composed: Composed) -> jobs.Job:
    """Settings from a composed configuration, whose interpolations are resolved.

    Raises:
        UsageError: values are missing, misspelt, of another type, out of range, or not as they were written.
    """
    try:
        OmegaConf.resolve(composed.config)
    except OmegaConfBaseException as error:
        raise UsageError(f"the configuration is refused: {refusals.whole_message(error)}") from error
    root = ROOTS[composed.job]
    plain: Any = filling.fill(root, OmegaConf.to_container(composed.config), {})
    lines, of_keys = dict(sorted(_missing(plain), key=itemgetter(1))), dict(_keys_that_are_no_texts(plain))
    try:
        settings = validation.validate(root, plain)
    except ValidationError as error:
        described = validation.describe(error, root, plain)
        lines |= {path: line for path, line in described if path not in lines | of_keys}
    if not lines and not of_keys and not composed.altered:
        return settings
    layers = _layers(composed)
    messages = list(_not_as_written(composed, layers, plain))
    # A key is not in its file by the name that YAML has made of it, but the mapping around it is.
    messages += [_with_place(composed, layers, path[:-1], line) for path, line in of_keys.items()]
    messages += [_with_place(composed, layers, path, line) for path, line in lines.items()]
    _refuse(composed, messages, plain)
    return settings


def require_as_written(composed: Composed) -> None:
    """Refuse a configuration with texts that YAML or Hydra has taken for something else, whatever else is wrong.

    Raises:
        UsageError: a text is not as it was written.
    """
    if composed.altered:
        plain: Any = OmegaConf.to_container(composed.config, resolve=False)
        _refuse(composed, list(_not_as_written(composed, _layers(composed), plain)), plain)


def _refuse(composed: Composed, messages: list[str], plain: Any) -> None:
    """Raise UsageError for what is wrong with a configuration, if anything is, without its secrets."""
    if messages:
        message = "\n  ".join([f"{composed.job.value}: the configuration is refused:", *messages])
        raise UsageError(secrets.hide(message, [*secrets.of_overrides(composed.arguments), *secrets.of_config(plain)]))


class _ProjectFirst(SearchPathPlugin):
    """Puts the project's folder before `BASE`: `hydra.searchpath` can only append one."""

    folders: ClassVar[list[Path]] = []

    def manipulate_search_path(self, search_path: ConfigSearchPath) -> None:
        for folder in self.folders:
            search_path.prepend("project", f"file://{folder}", "main")


def _hydra(folders: list[Path]) -> Any:
    GlobalHydra.instance().clear()
    Plugins.instance().register(_ProjectFirst)
    _ProjectFirst.folders = folders[:-1]
    store = ConfigStore.instance()
    for job in ROOTS:
        store.store(name=f"{job.value}_schema", node={})
    for group in OLD_SCHEMAS:
        store.store(group=group, name="schema", node={})
    return initialize_config_dir(config_dir=str(BASE), version_base="1.3")


def _layers(composed: Composed) -> list[origins.Layer]:
    """The files that the configuration was composed of, in the order in which they are merged."""
    with _hydra(composed.folders):
        loader = GlobalHydra.instance().config_loader()
        arguments, _ = overrides.partition(composed.arguments, filling.texts(ROOTS[composed.job]))
        merged = loader.compute_defaults_list(composed.job.value, arguments, RunMode.RUN).defaults
    return [
        origins.Layer(
            refusals.file_of(composed.folders, str(one.config_path)),
            tuple(filter(None, (one.package or "").split("."))),
        )
        for one in merged
    ]


def _missing(node: Any, path: KeyPath = ()) -> Iterator[tuple[KeyPath, str]]:
    """Key path and message of each value that is still to be given; a key of one is taken out of what is validated."""
    entries = enumerate(node) if isinstance(node, list) else list(node.items()) if isinstance(node, dict) else []
    for key, value in entries:
        below = (*path, key)
        if value != MISSING:
            yield from _missing(value, below)
            continue
        if isinstance(node, dict):
            del node[key]
        yield below, f"{validation.show(below)}: has no value, and needs one; give {validation.show(below)}=..."


def _keys_that_are_no_texts(node: Any, path: KeyPath = ()) -> Iterator[tuple[KeyPath, str]]:
    """Key path and message of each key that YAML has read as something else: NO as false. They become texts."""
    if isinstance(node, list):
        for number, item in enumerate(node):
            yield from _keys_that_are_no_texts(item, (*path, number))
    elif isinstance(node, dict):
        for key in list(node):
            if not isinstance(key, str):
                node[str(key)] = node.pop(key)
                where = validation.show((*path, str(key)))
                yield (*path, str(key)), f"{where}: found the key {key!r}, expected a text; quote it as it is meant"
            yield from _keys_that_are_no_texts(node[str(key)], (*path, str(key)))


def _with_place(composed: Composed, layers: list[origins.Layer], path: KeyPath, line: str) -> str:
    """A line of the message, with the file that says so, unless it is the command line that does."""
    scalar = None if overrides.set_by(composed.arguments, path) else origins.find(layers, path)
    return f"{line} ({scalar.file}, line {scalar.line})" if scalar else line


def _not_as_written(composed: Composed, layers: list[origins.Layer], plain: Any) -> Iterator[str]:
    """A message for each text that is not what an argument or file says, as it was not quoted: NO is false to YAML."""
    yield from overrides.not_as_written(composed.arguments, plain)
    for path, text in composed.altered.items():
        scalar = None if overrides.set_by(composed.arguments, path) else origins.find(layers, path)
        if scalar is None or not scalar.is_plain or scalar.text == text:
            continue
        shown, written = (secrets.mask(one, tuple(map(str, path))) for one in (text, scalar.text))
        yield (
            f"{validation.show(path)}: found {shown!r}, which is what YAML makes of the unquoted {written} in line "
            f"{scalar.line} of {scalar.file}. If the text is meant, quote it there: '{written}'"
        )
