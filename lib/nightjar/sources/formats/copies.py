"""Raw files that Spark does not read as they are, made over into others: unpacked, or in UTF-8. Once per content."""

import codecs
import logging
import zipfile
import zlib
from pathlib import Path
from typing import Any

from nightjar.errors import SourceError
from nightjar.settings.files import File, FileFormat
from nightjar.sources.formats.contents import CHUNK, chunks, digest_of, once
from nightjar.tables import storage

log = logging.getLogger("nightjar.ingest")


def readable(path: str, file: File, source: str, cache: Path) -> str:
    """The path of a file with the same content that Spark reads: of one in an archive, or in UTF-8; else the path.

    Raises:
        SourceError: an archive is damaged, or holds no file or several; or bytes are no text in the declared encoding.
        OSError: it cannot be opened, or unpacked to its end.
    """
    unpacked = unpack(path, source, cache)
    if file.format is not FileFormat.CSV or file.dialect.is_utf8:
        return unpacked
    return _in_utf8(unpacked, file.dialect.encoding, f"Source {source}: {path}", cache)


def unpack(path: str, source: str, cache: Path) -> str:
    """The path of the one file inside a zip archive, which is unpacked once per content; any other path as it is.

    Raises:
        SourceError: the archive is damaged, or holds no file or several.
    """
    if not path.endswith(".zip"):
        return path
    filesystem, inner = storage.of_file(path)
    try:
        with filesystem.open_input_file(inner) as stream, zipfile.ZipFile(stream) as archive:
            members = [member for member in archive.infolist() if not member.is_dir()]
            if len(members) != 1:
                raise SourceError(f"Source {source}: {path} holds {len(members)} files, expected one.")

            def write(target: Path) -> None:
                log.info("source %s: unpacking %s", source, Path(path).name)
                with archive.open(members[0]) as packed, target.open("wb") as out:
                    for chunk in chunks(packed):
                        out.write(chunk)

            # Names in an archive may lead elsewhere.
            return once(cache / digest_of(path)[:16] / f"unpacked-{Path(path).stem}", write)
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise SourceError(
            f"Source {source}: {path} is not a whole zip archive ({error}). It looks truncated or damaged; "
            "fetch it again. Nothing was written."
        ) from error


def _in_utf8(path: str, encoding: str, where: str, cache: Path) -> str:
    def write(target: Path) -> None:
        decoder, lines, read = codecs.getincrementaldecoder(encoding)(), 1, 0
        filesystem, inner = storage.of_file(path)
        stream: Any
        with filesystem.open_input_stream(inner) as stream, target.open("wb") as out:
            while True:
                chunk = stream.read(CHUNK)
                pending = decoder.getstate()[0]
                try:
                    text = decoder.decode(chunk, final=not chunk)
                except UnicodeDecodeError as error:
                    good = error.object[: error.start].decode(encoding, "ignore")
                    place = read - len(pending) + error.start
                    raise SourceError(
                        f"{where} is not {encoding}: line {lines + _lines(good)} holds, {place:,} bytes after the "
                        f"beginning of the file, 0x{error.object[error.start : error.end][:4].hex()}, which is no "
                        "letter there. Correct file.dialect.encoding, or the file. Nothing was written."
                    ) from error
                lines, read = lines + _lines(text), read + len(chunk)
                out.write(text.encode())
                if not chunk:
                    return

    name = Path(path).name.partition(".")[0]
    return once(cache / f"{digest_of(path)[:16]}-{encoding}" / f"utf8-{name}.csv", write)


def _lines(text: str) -> int:
    return text.count("\n") or text.count("\r")
