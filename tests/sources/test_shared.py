"""Several sources made of one file: it is hashed, rewritten and checked once."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import builders
from builders import rows_of
from nightjar.settings.files import Dialect, File
from nightjar.sources.connectors import files
from nightjar.sources.formats import copies, csv_files
from nightjar.sources.formats.shared import Results
from sources.worlds import DAYS


def test_sources_of_one_file_see_it_once_and_each_reads_its_columns(run, landing, warehouse, monkeypatch):
    calls = Counter()
    for module, name in ((files, "digests_of"), (copies, "digest_of"), (csv_files, "read_format")):
        real = getattr(module, name)
        monkeypatch.setattr(module, name, lambda *given, name=name, real=real: (calls.update([name]), real(*given))[1])
    (landing / "a.csv").write_bytes((builders.READINGS + builders.reading("m\u00e41", "03-31 07:00")).encode("latin-1"))
    file = File(str(landing), dialect=Dialect(encoding="latin-1"))
    sources = {
        name: builders.readings("", file=file, keep=keep) for name, keep in {"a": [], "b": ["temperature"]}.items()
    }
    run(sources, DAYS[0])
    once = {"digests_of": 1, "digest_of": 1, "read_format": 1}
    assert calls == once
    assert rows_of(warehouse, "source_a", "machine") == [("m\u00e41",)]
    assert rows_of(warehouse, "source_b", "machine", "temperature") == [("m\u00e41", 20.0)]


def test_a_result_is_made_once_by_whichever_thread_is_first_and_again_after_a_failure():
    results, together, made = Results(), Barrier(4), []

    def make():
        made.append(1)
        if len(made) == 1:
            raise OSError
        return len(made)

    def get(_):
        together.wait()
        try:
            return results.get("key", make)
        except OSError:
            return "failed"

    with ThreadPoolExecutor(4) as threads:
        assert sorted(threads.map(get, range(4)), key=str) == [2, 2, 2, "failed"]
    assert results.get("other", lambda: "x") == "x"
