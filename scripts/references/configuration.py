"""`docs/configuration.md`, made of the settings' classes."""

import dataclasses
import re
from collections.abc import Iterator, Mapping
from typing import Any

from nightjar.durations import DURATION
from nightjar.profiling.yaml import flow
from nightjar.settings import jobs
from nightjar.settings.filling import plain as as_yaml
from nightjar.settings.roots import ROOTS
from references import catalog, estimators
from references.wording import prose

_INTRODUCTION = """# Configuration

Made by `scripts/docs` from the docstrings in [lib/nightjar/settings](../lib/nightjar/settings) and the examples in
[scripts/references/examples.yaml](../scripts/references/examples.yaml): edit these.

Every key there is, with its type, default, meaning and an example. A key path such as `project.spine.active_within` is
at once an argument of a job: `python jobs/score.py project=buyers project.spine.active_within=60d`. `SOURCE`, `GROUP`
and other words in capitals stand for names that a project chooses; `[0]` is an entry of a list. How to describe data as
a project is told in [projects.md](projects.md), how to search for a model in [learning.md](learning.md).

- **Files**: each holds a part of the configuration, as its folder's section says, and may have a `defaults` list of
  others that it is made of ([Hydra's](https://hydra.cc/docs/advanced/defaults_list/)). `${project.name}` is the value
  at that path, `???` one that must still be given.
- **Words** are written in lower case; upper case is read alike.
- **A duration** is a whole number and a unit: `2w` and `7d` are days of the project's calendar, `12h`, `30m`, `45s` and
  `250us` exact. **A date** is `"2013-10-05"`. `null` is no value.
- **A text** that YAML takes for something else (`NO`, `1e3`) is put in quotes; without them it is refused.
- **Errors** name key path, value, file, line and what was expected, all of them at once. With `--check` a job tells
  them and runs nothing: `python jobs/nightly.py project=buyers project_dates=true --check`.

**In an editor**: the first line of each file, such as `# yaml-language-server: $schema=../schemas/model.json`, names
the schema by which editors complete keys, show their meaning and mark misspelt ones (VS Code with its YAML extension,
and others with `yaml-language-server`). The schemas lie in `conf/schemas/`. `new-project` puts them into a project's
own `conf/` too; after an update of Nightjar `cp "$(nightjar path conf)"/schemas/*.json conf/schemas/` renews them.
"""
_ABOUT = {
    "jobs": "Arguments of `python jobs/JOB.py`, and keys of the files that jobs begin with, `conf/JOB.yaml`.",
    "project": "A file of `conf/project/` is one project: what is below `project`.",
    "source": "A file of `conf/source/` is one source: what is below `project.sources.SOURCE`.",
    "features": "A file of `conf/features/` holds groups by their names: what is below `project.features`.",
    "model": "A file of `conf/model/` is one model: what is below `search.candidates.MODEL`. One of `conf/candidates/` "
    "holds several by their names.",
    "search": "A file of `conf/search/` is one search: what is below `search`.",
    "environment": "A file of `conf/environment/` is one environment: what is below `environment`.",
}
_BOUNDS = {
    "ge": "at least",
    "minimum": "at least",
    "gt": "more than",
    "exclusiveMinimum": "more than",
    "le": "at most",
    "maximum": "at most",
    "lt": "less than",
    "exclusiveMaximum": "less than",
}
_TYPES = {"integer": "whole number", "number": "number", "boolean": "`true` or `false`", "string": "text"}
_HEAD = "| key | type | default | meaning | example |\n|---|---|---|---|---|"


def page() -> str:
    """The page: a table of contents, then a section for each class of settings, in groups."""
    grouped, paths = catalog.classes(), _paths()
    contents, sections = ["## Contents", ""], list[str]()
    for group, classes in grouped.items():
        title = "Jobs" if group == "jobs" else f"Folder {group}"
        contents += [
            f"- [{title}](#{_anchor(title)})",
            *(f"  - {_link(cls.__name__)}: {_names(cls)}" for cls in classes),
        ]
        sections += [f"## {title}", "", _ABOUT[group], "", *(_section(cls, paths.get(cls, [])) for cls in classes)]
        if group == "model":
            contents += [f"  - [{one}](#{_anchor(one)})" for one in estimators.TITLES]
            sections.append(estimators.sections())
    return "\n".join([_INTRODUCTION, *contents, "", *sections]).rstrip("\n") + "\n"


def _paths() -> dict[type, list[str]]:
    """Class -> the key paths where it is."""
    paths: dict[type, dict[str, None]] = {}
    for root in ROOTS.values():
        for cls, path in catalog.places(root):
            paths.setdefault(cls, {})[path] = None
    return {cls: list(of_class) for cls, of_class in paths.items()}


def _section(cls: type, paths: list[str]) -> str:
    summary, *more = (cls.__doc__ or "").partition("Attributes:")[0].strip().split("\n\n")
    lines = [f"### {_title(cls.__name__)}", "", prose(summary), ""]
    if paths:
        lines += [f"At {', '.join(f'`{path}`' for path in paths)}.", ""]
    lines += [text for one in more for text in (_paragraph(one), "")]
    keys = catalog.keys(cls)
    lines += [text for one in _by_word(keys) for text in (one, "")]
    if keys:
        lines += [_HEAD, *(_row(cls, key) for key in keys), ""]
    elif cls in ROOTS.values():
        lines += [f"It has the keys of {_link('Job')} alone.", ""]
    lines += [_example(cls, text) for text in catalog.examples(cls)]
    return "\n".join(lines)


def _paragraph(text: str) -> str:
    """A paragraph of a docstring; lines that begin with a word in code and a colon are entries of a list."""
    head, *entries = re.split(r"\n\s*(?=`\w+`: )", text)
    return "\n".join([prose(head), *([""] if entries else []), *(f"- {prose(one)}" for one in entries)])


def _by_word(keys: list[catalog.Key]) -> Iterator[str]:
    """Sentences that say which keys belong to which words of another key, as their meanings begin."""
    for choice in keys:
        below: dict[str, list[str]] = {}
        for key in keys:
            begins = re.match(r"for ((?:`\w+`(?: \([^)]*\))?(?:, | and )?)+):", key.meaning)
            words = list[str](re.findall(r"`(\w+)`", begins[1] if begins else ""))
            if words and set(words) <= set(catalog.words(choice.schema)):
                below.setdefault(" or ".join(f"`{word}`" for word in words), []).append(f"`{key.name}`")
        if below:
            parts = [f"{', '.join(names)} only with {words}" for words, names in below.items()]
            yield f"By `{choice.name}`: {'; '.join(parts)}."


def _example(cls: type, text: str) -> str:
    if not issubclass(cls, jobs.Job):
        return f"```yaml\n{text}```\n"
    job = next((name.word for name, root in ROOTS.items() if root is cls), "score")
    return f"```bash\npython jobs/{job}.py {text}\n```\n"


def _row(cls: type, key: catalog.Key) -> str:
    unit = f"; unit: {key.unit}" if key.unit else ""
    cells = (f"`{key.name}`", _type(key.schema) + unit, _default(cls, key), prose(key.meaning), _shown(key))
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _type(schema: Mapping[str, Any]) -> str:
    """A type in words, with a link where it is settings of their own."""
    if union := schema.get("anyOf", schema.get("oneOf")):
        members = dict.fromkeys(_type(one) for one in union if one.get("type") != "null")
        return ", or ".join(one for one in members if not (one == "whole number" and "number" in members))
    if "$ref" in schema:
        return _link(schema["$ref"].rpartition("/")[2])
    least = ", at least one" if schema.get("minItems") or schema.get("minProperties") else ""
    if "items" in schema:
        return f"list of: {_type(schema['items'])}{least}"
    if entries := schema.get("additionalProperties"):
        return f"mapping to: {'any value' if entries is True else _type(entries)}{least}"
    return _type_of_scalar(schema)


def _type_of_scalar(schema: Mapping[str, Any]) -> str:
    if "enum" in schema:
        return ", ".join(f"`{word}`" for word in schema["enum"])
    if "pattern" in schema:
        return "duration" if schema["pattern"] == f"^{DURATION}$" else f"text like `{schema['pattern']}`"
    named = "date" if schema.get("format") == "date" else _TYPES.get(str(schema.get("type")), "any value")
    return ", ".join([named, *(f"{words} {schema[bound]:g}" for bound, words in _BOUNDS.items() if bound in schema)])


def _default(cls: type, key: catalog.Key) -> str:
    if key.required:
        return "**required**"
    value = catalog.default(cls, key.name)
    return "its defaults" if dataclasses.is_dataclass(value) else f"`{flow(as_yaml(value))}`"


def _shown(key: catalog.Key) -> str:
    """The example of a key; settings of their own have some in their section."""
    linked = re.findall(r"\[[^]]+\]\(#[^)]+\)", _type(key.schema))
    if linked and isinstance(key.example, dict | list):
        return f"see {linked[0]}"
    return f"`{key.example if isinstance(key.example, str) else flow(key.example)}`"


def _names(cls: type) -> str:
    return ", ".join(f"`{key.name}`" for key in catalog.keys(cls)) or "no keys of its own"


def _title(name: str) -> str:
    """`FeatureGroup` as `Feature group`."""
    return re.sub(r"(?<=[a-z])([A-Z])", lambda match: f" {match[1].lower()}", name)


def _link(name: str) -> str:
    return f"[{_title(name)}](#{_anchor(_title(name))})"


def _anchor(title: str) -> str:
    """The anchor that GitHub gives a heading."""
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")
