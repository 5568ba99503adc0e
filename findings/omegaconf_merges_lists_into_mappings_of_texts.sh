#!/usr/bin/env bash
# OmegaConf 2.3.1: a list or a mapping is merged into a Dict[str, str], which refuses the same value when it is assigned.
#
# Versions: Python 3.11, omegaconf 2.3.1.
# Expectation: merging plain data into a structured config checks it against the declared types, as the documentation of
#   structured configs says and as merging [1] into a field of type str does: ValidationError.
# Behaviour: below a field of type Dict[str, str], a number is made a text and a wrong key is refused, but a list and a
#   mapping go in as they are. Assigning the merged value to the field it stands in raises ValidationError. With Hydra,
#   whose composition is such a merge, YAML of a wrong shape passes the schema, the same on the command line does not.
# Output seen:
#   str <- [1]: ValidationError
#   Dict[str, str] <- 1: '1'
#   Dict[str, str] <- [1]: [1]
#   Dict[str, str] <- {'y': 1}: {'y': 1}
#   assigned instead: ValidationError
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check omegaconf==2.3.1
cat >"$folder/look.py" <<'PY'
from dataclasses import dataclass, field

from omegaconf import OmegaConf
from omegaconf.errors import ValidationError


@dataclass
class Settings:
    name: str = ""
    options: dict[str, str] = field(default_factory=dict)


def merged(data):
    return OmegaConf.merge(OmegaConf.structured(Settings), OmegaConf.create(data))


def told(make):
    try:
        return repr(make())
    except ValidationError:
        return "ValidationError"


print("str <- [1]:", told(lambda: merged({"name": [1]}).name))
for value in (1, [1], {"y": 1}):
    print(f"Dict[str, str] <- {value}:", told(lambda value=value: merged({"options": {"x": value}}).options.x))
config = merged({"options": {"x": [1]}})
print("assigned instead:", told(lambda: setattr(config, "options", {"x": [1]})))
PY
seen=$("$folder/venv/bin/python" "$folder/look.py")
echo "$seen"
expected="str <- [1]: ValidationError
Dict[str, str] <- 1: '1'
Dict[str, str] <- [1]: [1]
Dict[str, str] <- {'y': 1}: {'y': 1}
assigned instead: ValidationError"
[[ $seen == "$expected" ]] || { echo "the behaviour has changed" >&2 && exit 1; }
