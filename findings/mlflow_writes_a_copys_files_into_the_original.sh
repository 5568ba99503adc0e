#!/usr/bin/env bash
# MLflow 3.17.2: a client of a copied tracking store writes files into the original, and reads the copy's own.
#
# Versions: Python 3.11, mlflow 3.17.2.
# Expectation: MlflowClient(tracking_uri=...) works on the store that it is given: log_text writes to the artifact_uri that
#   this store's run states, and nothing of another store changes.
# Behaviour: a process keeps the place to which a run's files are written by the run's id alone, whatever the store. Once a
#   client of one store has logged a file of a run, a client of a copy (a restored backup, a home that was moved), whose
#   database names the copy's own folder, writes into the original's folder, without an error. It reads from its own, so
#   that what it has just logged is not there.
# Output seen:
#   the copy says that its run's files are in /copy/files/RUN/artifacts
#   after a note by the copy's client: original "by the copy", copy "by the original"
#   the copy's client reads "by the original"
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check mlflow==3.17.2
cat >"$folder/look.py" <<'PY'
import shutil
import sqlite3
import sys
from pathlib import Path

from mlflow import MlflowClient

folder = Path(sys.argv[1])
original, copy = folder / "original", folder / "copy"


def client(store):
    return MlflowClient(tracking_uri=f"sqlite:///{store}/runs.db")


def note(store):
    return store / "files" / run / "artifacts" / "note.txt"


original.mkdir()
first = client(original)
experiment = first.create_experiment("look", artifact_location=(original / "files").as_uri())
run = first.create_run(experiment).info.run_id
first.log_text(run, "by the original", "note.txt")
shutil.copytree(original, copy)
with sqlite3.connect(copy / "runs.db") as database:
    for table, column in (("experiments", "artifact_location"), ("runs", "artifact_uri")):
        change = f"UPDATE {table} SET {column} = replace({column}, ?, ?)"
        database.execute(change, (original.as_uri(), copy.as_uri()))
second = client(copy)
place = second.get_run(run).info.artifact_uri.replace(folder.as_uri(), "").replace(run, "RUN")
print(f"the copy says that its run's files are in {place}")
second.log_text(run, "by the copy", "note.txt")
texts = note(original).read_text(), note(copy).read_text()
print(f'after a note by the copy\'s client: original "{texts[0]}", copy "{texts[1]}"')
read = Path(second.download_artifacts(run, "note.txt")).read_text()
print(f'the copy\'s client reads "{read}"')
PY
seen=$(cd "$folder" && venv/bin/python look.py "$folder" 2>/dev/null)
echo "$seen"
expected="the copy says that its run's files are in /copy/files/RUN/artifacts
after a note by the copy's client: original \"by the copy\", copy \"by the original\"
the copy's client reads \"by the original\""
[[ $seen == "$expected" ]] || { echo "the behaviour has changed" >&2 && exit 1; }
