"""Files as items: those that no night has read yet, the new ends of those that grow, and those that have changed."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from pyarrow.fs import FileType
from pyspark.sql import DataFrame, SparkSession

from nightjar.errors import SourceError
from nightjar.settings.files import Change, File, FileFormat
from nightjar.sources.connectors import slices
from nightjar.sources.connectors.connector import Connector, Rows
from nightjar.sources.formats import files, raw
from nightjar.sources.formats.contents import digests_of
from nightjar.sources.formats.files import RawFile
from nightjar.sources.formats.shared import Results, SharedFiles
from nightjar.sources.items import Discovery, Entry, Item, Portion
from nightjar.tables import storage

PACKED = (".zip", ".gz", ".bz2", ".zst")


@dataclass(frozen=True)
class FileConnector(Connector):
    """A way to files, see `Connector`. One whose size and time of change are as before counts as unchanged.

    Attributes:
        spark: the session.
        file: settings of the source's files.
        source: its name.
        columns: those that are read.
        cache: folder for copies of files.
        is_empty_allowed: whether there may be no file at all.
        results: what connectors of the night have made of files.
        names_of: file that has been read -> the names of its columns.
    """

    spark: SparkSession
    file: File
    source: str
    columns: Sequence[str]
    cache: Path
    is_empty_allowed: bool
    results: Results = field(default_factory=Results)
    names_of: dict[str, Sequence[str]] = field(default_factory=dict)
    is_repeatable = True

    @property
    def is_lasting(self) -> bool:
        """Whether files may not change."""
        return change_of(self.file, self.source) is Change.ERROR

    def discover(self, definition: str, read: Mapping[str, Entry]) -> Discovery:
        """The files, and new ends of files, that no other night has read by these settings, and all there are."""
        present = files.list_files(self.file, self.source)
        if not present and not self.is_empty_allowed:
            raise SourceError(
                f"Source {self.source}: there is no file at {self.file.path}. If there are nights without any: "
                f"project.sources.{self.source}.arrival.min_rows=0. Nothing was written."
            )
        new = [self._new_item(definition, one, read.get(one.path)) for one in present]
        return Discovery([item for item in new if item is not None], {one.path for one in present})

    def names(self) -> Callable[[str], bool]:
        """See `files.naming`."""
        return files.naming(self.file, self.source)

    def require_unchanged(self, item: Item) -> None:
        """Refuse a file whose bytes are others."""
        filesystem, inner = storage.of_file(item.name)
        is_there = filesystem.get_file_info(inner).type is FileType.File
        if not is_there or self._digests(item.name, {item.size})[item.size] != item.digest:
            raise SourceError(
                f"Source {self.source}: this night has read {item.name}, which "
                f"{'has changed' if is_there else 'is gone'} since (its first {item.size:,} bytes had the SHA-256 "
                f"{item.digest[:12]}...). Bring it back as it was to run this night again. Nothing was written."
            )

    def read(self, portions: Sequence[Portion]) -> Rows:
        """Raw rows of files and of parts of them."""
        rounds: list[dict[str, Portion]] = []  # each reads of a file one part
        for portion in portions:
            name = portion.item.name
            number = next((number for number, one in enumerate(rounds) if name not in one), len(rounds))
            if number == len(rounds):
                rounds.append({})
            rounds[number][name] = portion
        return [self._read(one) for one in rounds]

    def _read(self, portions: Mapping[str, Portion]) -> DataFrame:
        items = {name: portion.item for name, portion in portions.items()}
        partial = {
            name: slices.cut(item, self.file, self.cache)
            for name, item in items.items()
            if item.begins or (portions[name].columns is not None and slices.is_part(item))
        }
        contents = {name: f"{item.digest} from {item.begins}" for name, item in items.items()}
        shared = SharedFiles(self.results, contents)
        read = raw.read(self.spark, self.file, list(items), self.columns, self.source, self.cache, partial, shared)
        self.names_of.update(read.names)
        return read.rows

    def columns_of(self, item: Item) -> Sequence[str] | None:
        """Those of a file; of JSON lines, those of its first objects."""
        return self.names_of.get(item.name)

    def _new_item(self, definition: str, present: RawFile, before: Entry | None) -> Item | None:
        item = None if before is None else before.item
        if item is not None and present.modified and (item.size, item.modified) == (present.size, present.modified):
            digests = {item.size: item.digest}
        else:
            sizes = {present.size, *([] if item is None else [min(item.size, present.size)])}
            digests = self._digests(present.path, sizes, present.modified)
        whole = Item(present.path, digests[present.size], present.size, present.modified)
        if before is None or item is None:
            return whole
        if whole.digest == item.digest:
            return None if before.definition == definition else whole
        if digests.get(item.size) == item.digest and _may_grow(self.file, present.path) and _ends_a_line(item):
            return replace(whole, begins=item.size) if before.definition == definition else whole
        if not self.is_lasting:
            return whole
        raise SourceError(
            f"Source {self.source}: {present.path} has changed since the night of {before.run_date} has read it: "
            f"{item.size:,} bytes with SHA-256 {item.digest[:12]}..., now {present.size:,} with {whole.digest[:12]}... "
            "Put it back as it was; or, if it is to be read again, and its changed rows to be known from this "
            f"night on: project.sources.{self.source}.file.changed=correction. Nothing was written."
        )

    def _digests(self, path: str, sizes: Collection[int], modified: int = 0) -> dict[int, str]:
        """See `digests_of`."""
        key = ("digests", path, modified, *sorted(sizes))
        return self.results.get(key, lambda: digests_of(path, sizes))


def change_of(file: File, source: str) -> Change:
    """What it means that a file has changed."""
    return file.changed or (Change.CORRECTION if files.names_one_file(file, source) else Change.ERROR)


def _may_grow(file: File, path: str) -> bool:
    """Whether lines that are appended to a file can be read without those before, but for the header."""
    is_plain = file.format is FileFormat.CSV and file.dialect.is_utf8 and file.dialect.comment is None
    return is_plain and not path.endswith(PACKED)


def _ends_a_line(item: Item) -> bool:
    """Whether what an item is, of a file that is longer by now, ends where a line ends."""
    filesystem, inner = storage.of_file(item.name)
    with filesystem.open_input_file(inner) as stream:
        stream.seek(max(item.size - 1, 0))
        last, following = stream.read(1), stream.read(1)
        return last == b"\n" or following in (b"\n", b"\r")
