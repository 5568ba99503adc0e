"""References made from the code say what it says now; every key has its meaning, and examples are valid."""

import shlex

import pytest
from pydantic import TypeAdapter, ValidationError

import documenting
import editor
from nightjar.config import compose_job, make_settings
from nightjar.settings import filling, jobs, validation
from nightjar.settings.roots import ROOTS
from references import catalog

CONF = documenting.ROOT / "conf"
CLASSES = [cls for classes in catalog.classes().values() for cls in classes]
EXAMPLES = [(cls, text) for cls in CLASSES for text in catalog.examples(cls)]
OF_JOBS = [(cls, text) for cls, text in EXAMPLES if issubclass(cls, jobs.Job)]
OF_SETTINGS = [(cls, text) for cls, text in EXAMPLES if not issubclass(cls, jobs.Job)]
UNITLESS = {"seed", "penalty"}
VALUES = [",", None, True, False, -1, 0, 2, 0.6, 7.0, "", "a", "7d", "2013-10-05", [], ["a", "b"], ["7d"], [1, 2], {}]
VALUES += [{"a": "b"}, {"a": 0.5}, {"a": ["7d"]}, {"low": 1, "high": 2.5}, [{"kind": "cluster"}]]


def numbers_and_words(schema):
    """The schemas of numbers and words within one of a value."""
    if schema.get("type") in ("integer", "number") or "enum" in schema:
        yield schema
    members = [*schema.get("anyOf", []), schema.get("items"), schema.get("additionalProperties")]
    for one in members:
        if isinstance(one, dict):
            yield from numbers_and_words(one)


def test_the_references_are_those_of_the_code():
    references = documenting.references()
    outdated = [str(path) for path, text in references.items() if path.read_text(encoding="utf-8") != text]
    assert outdated == [], "run scripts/docs"
    schemas = CONF / "schemas"
    assert {path for path in references if path.parent == schemas} == set(schemas.iterdir())


def test_every_class_of_settings_and_every_key_is_there_once():
    below = {cls for root in ROOTS.values() for cls, _ in catalog.places(root)} | set(ROOTS.values()) | {jobs.Job}
    assert len(CLASSES) == len(set(CLASSES))
    assert set(CLASSES) == below
    page = (documenting.ROOT / "docs" / "configuration.md").read_text()
    assert page.count("\n| `") > sum(len(catalog.keys(cls)) for cls in CLASSES) > 180


@pytest.mark.parametrize("cls", CLASSES, ids=lambda one: one.__name__)
def test_every_key_has_a_meaning_an_example_and_a_number_its_unit(cls):
    for key in catalog.keys(cls):
        assert len(key.meaning.split()) > 1, key.name
        assert key.example is not None, f"{key.name}: give one in scripts/references/examples.yaml"
        if any("enum" not in one for one in numbers_and_words(key.schema)) and key.name not in UNITLESS:
            assert key.unit, f"{key.name}: say its unit in brackets, as in `days (local dates): ...`"


@pytest.mark.parametrize(("cls", "text"), OF_SETTINGS, ids=[cls.__name__ for cls, _ in OF_SETTINGS])
def test_examples_are_settings_and_editors_say_nothing_against_any_part_of_them(cls, text):
    values = catalog.example_values(cls, text)
    validation.validate(cls, filling.fill(cls, values, {}))
    schema = CONF / "schemas" / "definitions.json"
    assert editor.complaints_of(schema, text, cls.__name__) == []
    for name, value in values.items():
        assert editor.complaints_of(schema, {name: value}, cls.__name__) == []


@pytest.mark.slow
@pytest.mark.parametrize("cls", dict.fromkeys(cls for cls, _ in OF_SETTINGS), ids=lambda one: one.__name__)
def test_what_settings_accept_editors_accept(cls):
    """One key of an example after the other gets values of every kind. Flags are true or false to editors."""
    schema, settings, accepted = CONF / "schemas" / "definitions.json", TypeAdapter(cls), 0
    examples = [catalog.example_values(cls, text) for text in catalog.examples(cls)]
    for key in catalog.keys(cls):
        words = [word for one in numbers_and_words(key.schema) for word in one.get("enum", [])]
        is_flag = any(one.get("type") == "boolean" for one in [key.schema, *key.schema.get("anyOf", [])])
        for value in [*VALUES, *words, *(word.upper() for word in words), *([word] for word in words[:2])]:
            if isinstance(value, bool) is is_flag and accepts(cls, settings, examples, key.name, value):
                assert editor.complaints_of(schema, {key.name: value}, cls.__name__) == []
                accepted += 1
    assert accepted >= len(catalog.keys(cls))


def accepts(cls, settings, examples, key, value):
    """Whether one of the examples stays valid with this value."""
    for example in examples:
        try:
            settings.validate_python(filling.fill(cls, example | {key: value}, {}))
        except ValidationError:
            continue
        return True
    return False


@pytest.mark.slow
@pytest.mark.parametrize(("cls", "text"), OF_JOBS, ids=[cls.__name__ for cls, _ in OF_JOBS])
def test_examples_of_jobs_are_command_lines(cls, text):
    job = next((job for job, root in ROOTS.items() if root is cls), jobs.JobName.SCORE)
    make_settings(compose_job(CONF, job, shlex.split(text)))
