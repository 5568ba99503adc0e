"""Gates that say too little, too much, or what a source does not have are refused before anything starts."""

from dataclasses import replace

import pytest

import builders
from nightjar.settings.gates import Gate, GateCheck, GateSeverity, OutlierMethod
from nightjar.settings.relations import sources_in_order


@pytest.mark.parametrize(
    ("gate", "expected"),
    [
        ({"check": GateCheck.NOT_NULL}, "column: found None, expected a value for check=not_null"),
        ({"check": GateCheck.VOLUME, "column": "x"}, "column: found 'x', expected none for check=volume"),
        ({"check": GateCheck.BETWEEN, "column": "x"}, "minimum: found None, expected a minimum or a maximum"),
        ({"check": GateCheck.BETWEEN, "column": "x", "minimum": 2, "maximum": 1}, "expected at most maximum=1.0"),
        (
            {"check": GateCheck.VOLUME, "severity": GateSeverity.REFUSE},
            "severity: found 'refuse', expected warn or stop",
        ),
        ({"check": GateCheck.FRESHNESS}, "max_age: found None, expected either max_age or max_gap"),
        ({"check": GateCheck.FRESHNESS, "max_age": "1h", "max_gap": "1h"}, "expected either max_age or max_gap"),
        ({"check": GateCheck.VOLUME, "minimum": 1, "tolerance": 3}, "tolerance: found 3.0, expected none with bounds"),
        ({"check": GateCheck.UNIQUE, "columns": ["x"], "tolerance": 3}, "tolerance: found 3.0, expected none for"),
        ({"check": GateCheck.RELATIONSHIPS, "columns": ["x"], "to": "a", "fields": ["b", "c"]}, "expected as many as"),
        (
            {"check": GateCheck.REPRESENTATIVE, "column": "x", "population": {"a": 0.7, "b": 0.4}},
            "population: found 1.1, expected shares that sum to 1 at most",
        ),
        (
            {"check": GateCheck.OUTLIERS, "column": "x", "method": OutlierMethod.QUANTILES, "tolerance": 3},
            "expected a share of rows below 0.5",
        ),
    ],
)
def test_a_gate_has_what_its_check_needs_and_nothing_else(gate, expected):
    with pytest.raises(ValueError, match="expected") as refused:
        Gate(**gate)
    assert expected in str(refused.value)


def test_gates_name_columns_that_there_are_and_stored_ones_where_these_are_looked_at():
    builders.readings("", gates={"seen": Gate(GateCheck.NOT_NULL, column="seen")})
    with pytest.raises(ValueError, match=r"gates\.seen\.column: found 'sen'.*did you mean 'seen'"):
        builders.readings("", gates={"seen": Gate(GateCheck.NOT_NULL, column="sen")})
    with pytest.raises(ValueError, match=r"gates\.mean\.column: found 'seen', expected one of the source's stored"):
        builders.readings("", gates={"mean": Gate(GateCheck.MEAN, column="seen")})


def with_gates(tmp_path, **gates):
    """The project of machines, each source with one gate."""
    project = builders.machines(tmp_path)
    sources = {
        name: replace(one, gates={"g": gates[name]} if name in gates else {}) for name, one in project.sources.items()
    }
    return replace(project, sources=sources)


def to(source, column="machine", field="machine"):
    return Gate(GateCheck.RELATIONSHIPS, columns=[column], to=source, fields=[field])


def test_sources_that_gates_refer_to_are_checked_first_and_exist_and_form_no_circle(tmp_path):
    related = with_gates(tmp_path, schedule=to("readings"), readings=to("outcomes"), outcomes=to("outcomes"))
    assert sources_in_order(related.sources) == [["outcomes"], ["readings"], ["schedule"]]
    assert sources_in_order(with_gates(tmp_path, schedule=to("readings")).sources)[0] == ["readings", "outcomes"]
    with pytest.raises(ValueError, match=r"sources\.outcomes\.gates\.g\.to: found 'reading'.*did you mean 'readings'"):
        with_gates(tmp_path, outcomes=to("reading"))
    with pytest.raises(
        ValueError, match=r"gates\.g\.fields: found 'seen', expected one of the stored columns of readings"
    ):
        with_gates(tmp_path, outcomes=to("readings", field="seen"))
    with pytest.raises(ValueError, match="expected gates that do not refer to each other in a circle"):
        with_gates(tmp_path, outcomes=to("readings"), readings=to("outcomes"))


def test_values_are_texts_of_their_columns_type(tmp_path):
    gate = Gate(GateCheck.ACCEPTED_VALUES, column="temperature", values=["1", "warm"])
    with pytest.raises(ValueError, match=r"sources\.readings\.gates\.g\.values: found 'warm', expected a number"):
        with_gates(tmp_path, readings=gate)
