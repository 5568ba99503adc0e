"""References made from the code say what it says now; every key has its meaning, and examples are valid."""

import shlex

import pytest

import documenting
import editor
from nightjar.config import ROOTS, compose_job, make_settings
from nightjar.settings import filling, jobs, validation
from references import model

CONF = documenting.ROOT / "conf"
CLASSES = [cls for classes in model.classes().values() for cls in classes]
EXAMPLES = [(cls, text) for cls in CLASSES for text in model.examples(cls)]
OF_JOBS = [(cls, text) for cls, text in EXAMPLES if issubclass(cls, jobs.Job)]
OF_SETTINGS = [(cls, text) for cls, text in EXAMPLES if not issubclass(cls, jobs.Job)]
UNITLESS = {"seed", "penalty"}


def numbers(schema):
    """The schemas of numbers within one of a value."""
    if schema.get("type") in ("integer", "number"):
        yield schema
    members = [*schema.get("anyOf", []), schema.get("items"), schema.get("additionalProperties")]
    for one in members:
        if isinstance(one, dict):
            yield from numbers(one)


def test_the_references_are_those_of_the_code():
    references = documenting.references()
    outdated = [str(path) for path, text in references.items() if path.read_text(encoding="utf-8") != text]
    assert outdated == [], "run scripts/docs"
    assert {path for path in references if path.suffix == ".json"} == set((CONF / "schemas").iterdir())


def test_every_class_of_settings_and_every_key_is_there_once():
    below = {cls for root in ROOTS.values() for cls, _ in model.places(root)} | set(ROOTS.values()) | {jobs.Job}
    assert len(CLASSES) == len(set(CLASSES))
    assert set(CLASSES) == below
    page = (documenting.ROOT / "docs" / "configuration.md").read_text()
    assert page.count("\n| `") > sum(len(model.keys(cls)) for cls in CLASSES) > 180


@pytest.mark.parametrize("cls", CLASSES, ids=lambda one: one.__name__)
def test_every_key_has_a_meaning_an_example_and_a_number_its_unit(cls):
    for key in model.keys(cls):
        assert len(key.meaning.split()) > 1, key.name
        assert key.example is not None, f"{key.name}: give one in scripts/references/examples.yaml"
        if any(numbers(key.schema)) and key.name not in UNITLESS:
            assert key.unit, f"{key.name}: say its unit in brackets, as in `days (local dates): ...`"


@pytest.mark.parametrize(("cls", "text"), OF_SETTINGS, ids=[cls.__name__ for cls, _ in OF_SETTINGS])
def test_examples_are_settings_and_editors_say_nothing_against_any_part_of_them(cls, text):
    values = model.example_values(cls, text)
    validation.validate(cls, filling.fill(cls, values, {}))
    schema = CONF / "schemas" / "definitions.json"
    assert editor.complaints_of(schema, text, cls.__name__) == []
    for name, value in values.items():
        assert editor.complaints_of(schema, {name: value}, cls.__name__) == []


@pytest.mark.slow
@pytest.mark.parametrize(("cls", "text"), OF_JOBS, ids=[cls.__name__ for cls, _ in OF_JOBS])
def test_examples_of_jobs_are_command_lines(cls, text):
    job = next((job for job, root in ROOTS.items() if root is cls), jobs.JobName.SCORE)
    make_settings(compose_job(CONF, job, shlex.split(text)))
