#!/usr/bin/env bash
# pytest-xdist 3.8.0 with pytest 9.2.0: --dist loadgroup no longer groups.
#
# Versions: Python 3.11 or newer, pytest 9.2.0 and 9.1.1, pytest-xdist 3.8.0.
# Expectation: tests marked xdist_group("shared") are run by one worker, one after another, as the documentation of
#   --dist loadgroup says; pip installs the two packages together without complaint.
# Behaviour: with pytest 9.2.0 the marks are accepted and have no effect, and nothing is said: the plugin appends
#   "@group" to an attribute of test items that pytest 9.2 does not read any more. What such tests share (a server, a
#   database, a JVM) is started by every worker. With pytest 9.1.1 it works.
# Output seen:
#   pytest 9.1.1: 1 worker(s) ran the group
#   pytest 9.2.0: 2 worker(s) ran the group
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat >"$folder/test_group.py" <<'PY'
import time
from pathlib import Path

import pytest


@pytest.mark.xdist_group("shared")
@pytest.mark.parametrize("number", range(8))
def test_of_the_group(number, worker_id):
    (Path(__file__).parent / "ran" / worker_id).touch()
    time.sleep(0.2)


@pytest.mark.parametrize("number", range(8))
def test_of_no_group(number):
    time.sleep(0.2)
PY

workers() { # of a version of pytest
  python3 -m venv "$folder/$1"
  "$folder/$1/bin/pip" install --quiet --disable-pip-version-check "pytest==$1" pytest-xdist==3.8.0
  rm -rf "$folder/ran"
  mkdir "$folder/ran"
  "$folder/$1/bin/python" -m pytest -q -p no:cacheprovider -n 2 --dist loadgroup "$folder/test_group.py" >"$folder/log" ||
    { cat "$folder/log" >&2 && return 1; }
  find "$folder/ran" -type f | wc -l
}

before=$(workers 9.1.1) now=$(workers 9.2.0)
echo "pytest 9.1.1: $before worker(s) ran the group"
echo "pytest 9.2.0: $now worker(s) ran the group"
[[ $before == 1 && $now == 2 ]] || { echo "the behaviour has changed" >&2 && exit 1; }
