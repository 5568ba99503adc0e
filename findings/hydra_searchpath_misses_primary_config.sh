#!/usr/bin/env bash
# Hydra 1.3.8: a folder that hydra.searchpath adds is searched for every configuration but the primary one.
#
# Versions: Python 3.11, hydra-core 1.3.8.
# Expectation: the search path is one list of folders; "cannot find" means that no folder of it has the file.
# Behaviour: with hydra.searchpath=[file://BASE] on the command line, groups and included files come from BASE, but a
#   primary config there is not found: it was looked up before the folder was added, and that it was missing is
#   remembered. The message lists BASE, which has the file, and advises to look at the search path.
# Output seen:
#   a group of BASE: 1
#   the primary config of BASE: Cannot find primary config 'job'. Check that it's in your config search path.
#   the listed path has it: True
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check hydra-core==1.3.8
mkdir -p "$folder/base/group" "$folder/own"
echo "a: 1" >"$folder/base/group/one.yaml"
echo "defaults: [group: one]" | tee "$folder/base/job.yaml" >"$folder/own/mine.yaml"
cat >"$folder/look.py" <<'PY'
import sys
from pathlib import Path

from hydra import compose, initialize_config_dir
from hydra.errors import MissingConfigException

own, base = (Path(sys.argv[1], name) for name in ("own", "base"))
added = [f"hydra.searchpath=['file://{base}']"]
with initialize_config_dir(str(own), version_base="1.3"):
    print("a group of BASE:", compose("mine", added).group.a)
    try:
        compose("job", added)
    except MissingConfigException as error:
        print("the primary config of BASE:", str(error).splitlines()[0])
        listed = str(error).partition("path=file://" + str(base))[1].removeprefix("path=file://")
        print("the listed path has it:", Path(listed, "job.yaml").exists())
PY
seen=$("$folder/venv/bin/python" "$folder/look.py" "$folder")
echo "$seen"
expected="a group of BASE: 1
the primary config of BASE: Cannot find primary config 'job'. Check that it's in your config search path.
the listed path has it: True"
[[ $seen == "$expected" ]] || { echo "the behaviour has changed" >&2 && exit 1; }
