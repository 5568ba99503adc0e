#!/usr/bin/env bash
# pyarrow 25.0.1: a local Parquet file that is scanned in small batches, with no readahead, ends up in memory whole.
#
# Versions: Python 3.11, pyarrow 25.0.1, numpy 2.4.6.
# Expectation: `to_batches(batch_size=..., batch_readahead=0, fragment_readahead=0)` over a file of 24 row groups, each batch
#   dropped at once, holds about one row group of 8 MB at a time: by its documentation more readahead is what takes memory.
# Behaviour: `ParquetFragmentScanOptions.pre_buffer` is on by default, for local files, too. All that is read ahead stays
#   until the fragment is done: the peak is more than the whole file of 192 MB. With pre_buffer=False it is a row group and
#   what is decoded of it. To turn the readahead of batches down changes next to nothing.
# Output seen:
#   a file of 192 MB in row groups of 8 MB
#   pre_buffer by default, no readahead: more than the file
#   pre_buffer=False, no readahead: less than a quarter of it
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pyarrow==25.0.1 numpy==2.4.6
cat >"$folder/look.py" <<'PY'
import sys

import numpy as np
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq

GROUPS, ROWS = 24, 1 << 20
path, random = sys.argv[1], np.random.default_rng(0)
with pq.ParquetWriter(path, pa.schema({"x": pa.float64()}), compression="none", use_dictionary=False) as writer:
    for _ in range(GROUPS):
        writer.write_table(pa.table({"x": random.random(ROWS)}), row_group_size=ROWS)
size = GROUPS * ROWS * 8


def peak(**options):
    """The most memory of Arrow while the file is scanned."""
    scan = ds.ParquetFragmentScanOptions(**options)
    batches = ds.dataset(path).to_batches(
        batch_size=1 << 16, batch_readahead=0, fragment_readahead=0, use_threads=False, fragment_scan_options=scan
    )
    return max(pa.total_allocated_bytes() for _ in batches)


default, without = peak(), peak(pre_buffer=False)
print(f"a file of {size >> 20} MB in row groups of {size // GROUPS >> 20} MB")
print(f"pre_buffer by default, no readahead: {'more than the file' if default > size else default}")
print(f"pre_buffer=False, no readahead: {'less than a quarter of it' if without < size / 4 else without}")
PY
seen=$("$folder/venv/bin/python" "$folder/look.py" "$folder/rows.parquet")
echo "$seen"
expected="a file of 192 MB in row groups of 8 MB
pre_buffer by default, no readahead: more than the file
pre_buffer=False, no readahead: less than a quarter of it"
[[ $seen == "$expected" ]] || { echo "the behaviour has changed" >&2 && exit 1; }
