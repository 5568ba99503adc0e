"""Relations between the sources of a project: their gates refer to facts of others."""

from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter

from nightjar.settings.checks import Issue, expect_one_of
from nightjar.settings.sources import Source


def sources_in_order(sources: Mapping[str, Source]) -> list[list[str]]:
    """The sources, each in a later group than those that its gates refer to.

    Raises:
        CycleError: they refer to each other in a circle, which its second argument lists.
    """
    others = {
        name: [gate.to for gate in source.gates.values() if gate.to and gate.to != name]
        for name, source in sources.items()
    }
    sorter, groups = TopologicalSorter(others), list[list[str]]()
    sorter.prepare()
    while sorter.is_active():
        groups.append(list(sorter.get_ready()))
        sorter.done(*groups[-1])
    return groups


def relation_issues(sources: Mapping[str, Source]) -> Iterator[Issue]:
    """Whether gates refer to sources and stored columns that there are, and not in a circle."""
    for name, source in sources.items():
        for gate_name, gate in source.gates.items():
            at = f"sources.{name}.gates.{gate_name}"
            yield from expect_one_of(f"{at}.to", [gate.to] if gate.to else [], sources, "sources")
            if gate.to and gate.to in sources:
                stored, key = sources[gate.to].stored_columns(), "fields" if gate.fields else "columns"
                yield from expect_one_of(f"{at}.{key}", gate.fields_there(), stored, f"stored columns of {gate.to}")
    try:
        sources_in_order(sources)
    except CycleError as error:
        circle = " -> ".join(error.args[1])
        yield Issue("sources", circle, "gates that do not refer to each other in a circle")
