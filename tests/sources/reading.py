"""Raw files read as `ingest` reads them, before their values are cast."""

from nightjar.sources.formats import files, raw


def read_raw(spark, file, columns, folder):
    """The raw rows of all files that a source `readings` names."""
    paths = [one.path for one in files.list_files(file, "readings")]
    return raw.read(spark, file, paths, columns, "readings", folder / "cache").rows
