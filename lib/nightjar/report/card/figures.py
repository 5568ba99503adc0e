"""How good a version is: beside baselines, by slice, by group, by feature; and which rows it acts on."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from nightjar.registry.period import intervals_over
from nightjar.report import classes, forest, tiers
from nightjar.report.card import effects, groups
from nightjar.report.card.effects import signed_cell
from nightjar.report.card.records import Records
from nightjar.report.champion import ModelFigures, Promise
from nightjar.report.document import Absence, Cell, Chart, Details, Paragraph, Part, Section, Table, estimate_cell
from nightjar.report.forest import Bar
from nightjar.report.formatting import figure, heading, measure, percent
from nightjar.settings.task import METRICS


def sections(records: Records, promise: Promise | None) -> list[Section]:
    """In the order in which a reader asks."""
    evidence = records.evidence
    return [
        Section("figures", "How good it is", list(_measured(records, promise))),
        Section("tiers", "Which rows are acted on", _tiers(evidence)),
        Section("slices", "Where it is worse", effects.slices(evidence)),
        Section("fairness", "How it treats groups", groups.fairness(evidence)),
        Section("importance", "What it relies on", effects.importance(evidence)),
    ]


def _measured(records: Records, promise: Promise | None) -> Iterator[Part]:
    if promise is None:
        yield Absence("The evidence of this version cannot be read.")
        return
    main, names = promise.metric, promise.measures()
    shown = [
        name for name in names if name in {metric.value for metric in METRICS[records.project.label.task]}
    ] or names
    if main is not None:
        yield from _beside_baselines(promise, main)
    period = f" on {promise.period[0]} to {promise.period[1]}" if len(promise.period) == 2 else ""
    yield _models_table(
        promise.models, shown, f"Measured{period}, with 95% intervals over {intervals_over(records.evidence)}"
    )
    yield _differences(records.evidence)
    others = [name for name in names if name not in shown]
    if others:
        yield Details("Other figures", [_models_table(promise.models, others, f"Other figures{period}")])
    of_classes = classes.figures_of_classes(promise.own(), records.project.label.classes)
    if of_classes:
        yield _classes_table(of_classes)


def _beside_baselines(promise: Promise, main: str) -> Iterator[Part]:
    bars = [
        Bar(model.name, one.estimate, one.low, one.high, not model.is_baseline)
        for model in promise.models
        if (one := model.measures.get(main)) is not None and one.estimate is not None
    ]
    if bars:
        title = "; ".join(f"{bar.name} {figure(bar.estimate)}" for bar in bars)
        caption = f"{heading(main)} of the version (filled) and the baselines beside it (hollow), with 95% intervals"
        yield Chart(caption, forest.chart(bars, f"{heading(main)}: {title}"))


def _models_table(models: Sequence[ModelFigures], names: Sequence[str], caption: str) -> Table:
    heads = [f"{model.name}{' (baseline)' if model.is_baseline else ''}" for model in models]
    rows = []
    for name in names:
        figures = [model.measures.get(name) for model in models]
        cells = [
            Cell("", why="the evidence does not state it for this model")
            if one is None
            else estimate_cell(one.estimate, one.low, one.high)
            for one in figures
        ]
        rows.append([Cell(heading(name)), *cells])
    return Table(caption, ["Measure", *heads], rows, names=heads)


def _differences(evidence: Mapping[str, Any]) -> Table:
    """Against each baseline and the champion of that time, on the same rows."""
    strongest = evidence["difference"]
    others = list((evidence.get("differences") or {}).values()) or [strongest]
    champion = evidence.get("champion")
    rows = [
        [Cell(str(one["over"])), signed_cell(one), _rows_cell(one)]
        for one in [*others, *([champion] if champion else [])]
    ]
    name = measure(str(evidence["metric"]))
    return Table(
        f"Its {name} minus that of each other model, on the same rows", ["Other model", "Difference", "Rows"], rows
    )


def _rows_cell(one: Mapping[str, Any]) -> Cell:
    return Cell(f"{one['rows']:,}") if one.get("rows") else Cell("", why="not on record")


def _classes_table(of_classes: Sequence[Any]) -> Table:
    rows = [
        [
            Cell(str(name)),
            *(
                Cell("", why="not measured")
                if one is None
                else estimate_cell(one.value, one.low, one.high, one.reason or "undefined")
                for one in figures
            ),
        ]
        for name, _, figures in of_classes
    ]
    return Table("Each class against all others", ["Class", *map(heading, classes.OF_EACH)], rows)


def _tiers(evidence: Mapping[str, Any]) -> list[Part]:
    shown = tiers.read_tiers(evidence)
    if not shown:
        return [Absence("The project declares neither tiers nor costs of a decision: scores are served as they are.")]
    heads = ["Tier", "Setting", "Threshold", "Recall", "Precision", "Rows a night", "Cost of a row"]
    rows = [
        [
            Cell(one.name, "" if one.by_group is None else "all rows together"),
            Cell(one.rule, "not met" if one.shortfall else ""),
            Cell("acts on none") if one.value is None else estimate_cell(one.value, one.low, one.high),
            *(_reached(name, one.figures.get(name)) for name in ("recall", "precision", "acted", "cost")),
        ]
        for one in shown
    ]
    note = "A row is in the first tier whose threshold its score reaches; recall counts the tiers before it."
    parts: list[Part] = [
        Paragraph(note, is_note=True),
        Table("What the tiers reach on the final period, with 95% intervals", heads, rows),
    ]
    parts += [Paragraph(f"{one.name}: {one.shortfall}.", is_note=True) for one in shown if one.shortfall]
    parts += [Paragraph(f"{one.name}: {one.by_row}.", is_note=True) for one in shown if one.by_row]
    return [*parts, *groups.thresholds(shown), *_sets(evidence)]


def _sets(evidence: Mapping[str, Any]) -> list[Part]:
    """What sets of classes, by which rows abstain, are calibrated on; evidence of before has none."""
    sets = evidence.get("sets")
    if sets is None:
        return []
    classes = ", ".join(f"{one['rows']:,} rows of {one['value']}" for one in sets["classes"])
    unknown = any(one["limit"] is None for one in sets["classes"])
    amiss = " These are too few: the sets are UNKNOWN, and all rows abstain." if unknown else ""
    words = f"Sets of classes are calibrated at an error of {percent(sets['error'])} in each class, on {classes}."
    return [Paragraph(f"{words}{amiss} They promise nothing for a single night.", is_note=True)]


def _reached(name: str, values: tuple[float | None, ...] | None) -> Cell:
    estimate, low, high = values or (None, None, None)
    if estimate is None:
        return Cell("", why="undefined, or not asked for")
    forms: dict[str, Callable[[float], str]] = {"acted": partial(figure, digits=1), "cost": figure}
    form = forms.get(name, percent)
    return Cell(form(estimate), "" if low is None or high is None else f"{form(low)} to {form(high)}")
