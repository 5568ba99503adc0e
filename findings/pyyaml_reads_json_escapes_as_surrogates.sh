#!/usr/bin/env bash
# PyYAML 6.0.3: a text that json.dumps has written becomes another text, which no file can hold.
#
# Versions: Python 3.11, PyYAML 6.0.3 (and OmegaConf and Hydra, which read with it).
# Expectation: YAML 1.2 takes every JSON document and reads it as JSON does; so quoting texts for YAML by json.dumps is
#   common. A letter beyond U+FFFF, such as an emoji in the name of a column, is there written as two escapes, a pair of
#   surrogates, that mean one letter.
# Behaviour: safe_load reads each escape as a letter of its own. The text looks alike, is unequal, has one letter more, and
#   raises UnicodeEncodeError where it is written, much later. As \U0001f600, which JSON does not know, it is read.
# Output seen:
#   written "\ud83d\ude00", by JSON 1 letter, by YAML 2 letters, equal False
#   written to a file: UnicodeEncodeError
#   written "\U0001f600", by YAML 1 letter, equal True
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pyyaml==6.0.3
cat >"$folder/look.py" <<'PY'
import json

import yaml

text = "\U0001f600"
written = json.dumps(text)
read = yaml.safe_load(written)
print(f"written {written}, by JSON {len(json.loads(written))} letter, by YAML {len(read)} letters, equal {read == text}")
try:
    read.encode()
except UnicodeEncodeError as error:
    print(f"written to a file: {type(error).__name__}")
long = '"\\U0001f600"'
print(f"written {long}, by YAML {len(yaml.safe_load(long))} letter, equal {yaml.safe_load(long) == text}")
PY
seen=$("$folder/venv/bin/python" "$folder/look.py")
echo "$seen"
expected='written "\ud83d\ude00", by JSON 1 letter, by YAML 2 letters, equal False
written to a file: UnicodeEncodeError
written "\U0001f600", by YAML 1 letter, equal True'
[[ $seen == "$expected" ]] || { echo "the behaviour has changed" >&2 && exit 1; }
