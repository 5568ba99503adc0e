"""Files of a new project come to their places: all of them, or none, and never over others."""

import os
import shutil
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from nightjar import config
from nightjar.errors import UsageError
from nightjar.settings.jobs import JobName


def require_free(conf: Path, paths: Iterable[str]) -> None:
    """Raise UsageError where there is one of the files already."""
    there = [str(conf / path) for path in paths if (conf / path).exists()]
    if there:
        raise UsageError(
            f"{', '.join(there)}: there already, and never written over. Choose another name, or remove what is no "
            "longer wanted. Nothing was written."
        )


def place(conf: Path, files: Mapping[str, str], projects: Iterable[str]) -> None:
    """Write files below `conf/`, once the projects they make are seen to compose.

    Args:
        conf: the configuration's folder.
        files: path within it -> text, what others refer to first.
        projects: their names, each with a search of its own.

    Raises:
        UsageError: one of the files is there already, or a project does not compose. Nothing was written.
    """
    require_free(conf, files)
    with tempfile.TemporaryDirectory(prefix="conf-") as folder:
        trial = Path(folder) / "conf"
        if conf.exists():
            shutil.copytree(conf, trial)
        for path, text in files.items():
            (trial / path).parent.mkdir(parents=True, exist_ok=True)
            (trial / path).write_text(text, encoding="utf-8")
        for name in projects:
            overrides = [f"project={name}", f"search={name}", "project_dates=true"]
            config.make_settings(config.compose_job(trial, JobName.NIGHTLY, overrides))
    _write(conf, files)


def _write(conf: Path, files: Mapping[str, str]) -> None:
    written = list[Path]()
    try:
        for path, text in files.items():
            target = conf / path
            target.parent.mkdir(parents=True, exist_ok=True)
            with target.open("x", encoding="utf-8") as stream:
                written.append(target)
                stream.write(text)
                stream.flush()
                os.fsync(stream.fileno())
    except BaseException as error:
        for target in written:
            target.unlink()
        if isinstance(error, FileExistsError):
            raise UsageError(f"{error.filename}: written by somebody else meanwhile. Nothing was written.") from error
        raise
