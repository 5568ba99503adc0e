"""Where raw files lie, archives unpacked; nothing here needs Spark."""

import hashlib
import importlib.util
import logging
import zipfile
import zlib
from pathlib import Path

from nightjar.errors import SourceError
from nightjar.settings.sources import File

log = logging.getLogger("nightjar.ingest")


def locate(file: File, source: str) -> str:
    """Where a raw file lies.

    Raises:
        SourceError: there is none, or Spark cannot read what is named so.
    """
    if file.package is None:
        path = file.path
    else:
        spec = importlib.util.find_spec(file.package)
        if spec is None or not spec.submodule_search_locations:
            raise SourceError(
                f"Source {source}: the Python package {file.package} that holds its data is not installed. "
                "Install it (in a checkout: scripts/setup), or correct the source's file.package."
            )
        path = str(Path(spec.submodule_search_locations[0]) / file.path)
    if "://" not in path and not Path(path).exists():
        raise SourceError(f"Source {source}: there is no file {path}. Nothing was written.")
    if "://" not in path and ":" in Path(path).name:
        raise SourceError(
            f"Source {source}: {path} has a colon in its name, which Spark's file systems cannot read. Rename it. "
            "Nothing was written."
        )
    _require_readable_name(path, source)
    return path


def _require_readable_name(path: str, source: str) -> None:
    """Refuse a name for which Spark silently leaves a file out, or reads another format than is meant."""
    name = Path(path).name
    if name.startswith(("_", ".")) or name.endswith("._COPYING_"):
        raise SourceError(
            f"Source {source}: {path} has a name that Spark takes for that of a hidden or unfinished file, and "
            "reads no row of. Rename it. Nothing was written."
        )
    if name.endswith(".lz4"):
        raise SourceError(
            f"Source {source}: {path} is compressed by LZ4, whose usual files Spark's codec does not read. Unpack it, "
            "or compress it by gzip, bzip2 or zstd. Nothing was written."
        )


def unpack(path: str, source: str, cache: Path) -> str:
    """The path of the one file inside a zip archive, which is unpacked once per content; any other path as it is.

    Raises:
        SourceError: the archive is damaged, or holds no file or several.
    """
    if not path.endswith(".zip") or Path(path).is_dir():
        return path
    try:
        with zipfile.ZipFile(path) as archive:
            members = [member for member in archive.infolist() if not member.is_dir()]
            if len(members) != 1:
                raise SourceError(f"Source {source}: {path} holds {len(members)} files, expected one.")
            digest = hashlib.sha256(Path(path).read_bytes()).hexdigest()[:16]
            target = cache / digest / f"unpacked-{Path(path).stem}"  # names in an archive may lead elsewhere
            if not target.exists():
                log.info("source %s: unpacking %s", source, Path(path).name)
                target.parent.mkdir(parents=True, exist_ok=True)
                partial = target.with_suffix(".partial")
                partial.write_bytes(archive.read(members[0]))
                partial.rename(target)
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise SourceError(
            f"Source {source}: {path} is not a whole zip archive ({error}). It looks truncated or damaged; "
            "fetch it again. Nothing was written."
        ) from error
    return str(target)
