"""Trainings side by side as a document: what differs first."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from functools import partial

from nightjar.evaluation.intervals import Interval
from nightjar.registry.events import DEFINITIONS, LABEL_HASH, PEAK_MEMORY
from nightjar.registry.period import intervals_over
from nightjar.report import forest
from nightjar.report.card.effects import folded, signed_cell
from nightjar.report.card.writing import file_name
from nightjar.report.comparison.pairs import Pair, Pairs
from nightjar.report.comparison.trainings import Training
from nightjar.report.document import (
    Absence,
    Cell,
    Chart,
    Details,
    Document,
    Paragraph,
    Part,
    Section,
    Table,
    estimate_cell,
)
from nightjar.report.figures import Fact
from nightjar.report.forest import Bar
from nightjar.report.formatting import count_noun, figure, heading, measure, mebibytes, seconds
from nightjar.settings.project import Project
from nightjar.settings.task import METRICS, Metric


def document(project: Project, trainings: Sequence[Training], pairs: Pairs, metric: str) -> Document:
    """The page of some trainings, the oldest first.

    Args:
        project: of the trainings.
        trainings: which.
        pairs: of those that could be compared on the same rows.
        metric: in which they were.
    """
    numbers = ", ".join(one.number for one in trainings)
    periods = {tuple(one.evidence.get("period", ())) for one in trainings}
    same = "the same final period" if len(periods) == 1 else f"{len(periods)} different final periods"
    return Document(
        eyebrow="Trainings side by side",
        title=f"{project.title or project.name}: versions {numbers}",
        meta=f"{count_noun(len(trainings), 'training')} of project {project.name}, for run dates "
        f"{trainings[0].run.run_date} to {trainings[-1].run.run_date}.",
        facts=[_fact(one, metric) for one in trainings],
        summary=f"Their figures are of {same}, each by a fit on the rows before it. Figures of different rows say "
        "little by their difference; the paired differences are on the rows that two versions share.",
        sections=[
            Section("figures", "How good they are", list(_figures(trainings, metric))),
            Section("differences", "On the same rows", list(_differences(trainings, pairs, metric))),
            Section("parameters", "Parameters", list(_parameters(trainings))),
            Section("importance", "What they rely on", list(_importance(trainings, metric))),
            Section("origin", "Data and code", [_origin(trainings)]),
        ],
        links=[(f"card of version {one.number}", file_name(one.number)) for one in trainings],
        footer=["Made of the tables model_events and runs, and of the files that trainings leave in MLflow."],
    )


def _fact(one: Training, metric: str) -> Fact:
    own = one.promise.of_champion(metric) if one.promise else None
    value = "–" if own is None or own.estimate is None else figure(own.estimate)
    return Fact(value, f"{measure(metric)} of version {one.number}", f"{one.name}, {one.standing}", "figures")


def _heads(trainings: Sequence[Training]) -> list[str]:
    return [f"version {one.number}" for one in trainings]


def _row(name: str, trainings: Sequence[Training], cell: Callable[[Training], Cell]) -> list[Cell]:
    return [Cell(name), *map(cell, trainings)]


def _figures(trainings: Sequence[Training], metric: str) -> Iterator[Part]:
    bars = [
        Bar(f"version {one.number}", own.estimate, own.low, own.high)
        for one in trainings
        if one.promise and (own := one.promise.of_champion(metric)) and own.estimate is not None
    ]
    if bars:
        caption = f"{heading(metric)} of each version on its own final period, with 95% intervals"
        yield Chart(caption, forest.chart(bars, caption))
    names = list(dict.fromkeys(name for one in trainings if one.promise for name in one.promise.measures()))
    of_tasks = {one.value for task in Metric(metric).tasks for one in METRICS[task]}
    main = [name for name in names if name in of_tasks]
    about = [
        _row("Model", trainings, lambda one: Cell(one.name, one.standing)),
        _row(
            "Final period",
            trainings,
            lambda one: _text(" to ".join(one.evidence.get("period", ()))),
        ),
        _row("Intervals over", trainings, lambda one: Cell(intervals_over(one.evidence))),
    ]
    heads = ["Figure", *_heads(trainings)]
    figures = [_row(heading(name), trainings, partial(_measured, name)) for name in main]
    yield Table("Figures with 95% intervals, each on its own final period", heads, [*about, *figures])
    over = _row("Best baseline", trainings, partial(_over, "difference", metric))
    champion = _row("Champion of then", trainings, partial(_over, "champion", metric))
    yield Table(
        f"{heading(metric)} minus that of others on the same rows, as their trainings measured it",
        ["Against", *_heads(trainings)],
        [over, champion],
    )
    others = [name for name in names if name not in main]
    if others:
        rows = [_row(heading(name), trainings, partial(_measured, name)) for name in others]
        yield Details(count_noun(len(others), "other figure"), [Table("Other figures", heads, rows)])


def _measured(name: str, one: Training) -> Cell:
    own = one.promise.of_champion(name) if one.promise else None
    return Cell("", why="not measured") if own is None else estimate_cell(own.estimate, own.low, own.high)


def _over(name: str, metric: str, one: Training) -> Cell:
    difference: Mapping[str, object] = one.evidence.get(name) or {}
    if not difference:
        return Cell("", why="there was none")
    if one.evidence["metric"] != metric:
        return _of_other_metric(one)
    cell = signed_cell(difference)
    return Cell(cell.text, f"{cell.detail}, from {difference['over']}" if cell.text else "", cell.why)


def _of_other_metric(one: Training) -> Cell:
    return Cell("", why=f"its search compared by {measure(one.evidence['metric'])}")


def _differences(trainings: Sequence[Training], pairs: Pairs, metric: str) -> Iterator[Part]:
    if len(trainings) == 1:
        yield Absence("There is one training only.")
        return
    yield Paragraph(
        f"{heading(metric)} of the newer version minus that of the older one, on the rows of both final periods. "
        "Each scores by its fit before its own period, so that neither has learned from these rows; the newer fit has "
        "seen later ones. The intervals are 95% each, not of all pairs at once.",
        is_note=True,
    )
    rows = [
        _pair_row(newer.number, older.number, pairs.get((newer.number, older.number)) or _of_stand_ins(newer, older))
        for place, newer in enumerate(trainings)
        for older in trainings[:place]
    ]
    heads = ["Newer", "Older", "Difference", "Rows", "Nights"]
    yield from folded("Paired differences on shared rows", heads, rows, "pairs")


def _pair_row(newer: str, older: str, pair: Pair | None) -> list[Cell]:
    names = [Cell(f"version {newer}"), Cell(f"version {older}")]
    if pair is None:
        why = "the scores of one of them are not on record"
        return [*names, Cell("", why=why), *[Cell("", why="not compared")] * 2]
    return [*names, signed_cell(asdict(pair.difference)), Cell(f"{pair.difference.rows:,}"), Cell(f"{pair.nights:,}")]


def _of_stand_ins(newer: Training, older: Training) -> Pair | None:
    """A pair that is not compared because one of them is a stand-in, whose scores nobody stores; None: neither is."""
    names = [f"version {one.number}" for one in (newer, older) if one.is_stand_in]
    if not names:
        return None
    reason = f"the scores of {' and '.join(names)}, which stood in for a winner, are not on record"
    return Pair(Interval(None, None, None, 0, reason), 0)


def _parameters(trainings: Sequence[Training]) -> Iterator[Part]:
    names = list(dict.fromkeys(name for one in trainings for name in one.parameters))
    differing = [name for name in names if len({one.parameters.get(name) for one in trainings}) > 1]
    equal = [name for name in names if name not in differing]
    heads = ["Parameter", *_heads(trainings)]
    if differing:
        yield Table(
            "Parameters that differ", heads, [_row(one, trainings, partial(_parameter, one)) for one in differing]
        )
    else:
        yield Absence("No parameter differs.")
    if equal:
        rows = [_row(one, trainings, partial(_parameter, one)) for one in equal]
        yield Details(f"{count_noun(len(equal), 'parameter')} in common", [Table("In common", heads, rows)])


def _parameter(name: str, one: Training) -> Cell:
    return Cell(one.parameters.get(name, ""), why="its default, or not on record")


def _importance(trainings: Sequence[Training], metric: str) -> Iterator[Part]:
    losses = {
        one.number: {", ".join(of["columns"]): of for of in one.evidence.get("importance") or ()}
        for one in trainings
        if one.evidence["metric"] == metric
    }
    greatest: dict[str, float] = {}
    for of_version in losses.values():
        for name, loss in of_version.items():
            greatest[name] = max(greatest.get(name, 0.0), loss.get("estimate") or 0.0)
    if not greatest:
        yield Absence(f"None of these trainings has measured importance by {measure(metric)}.")
        return

    def loss_cell(name: str, one: Training) -> Cell:
        if one.number not in losses:
            return _of_other_metric(one)
        loss = losses[one.number].get(name)
        return Cell("", why="not measured") if loss is None else signed_cell(loss)

    ordered = sorted(greatest, key=lambda name: -greatest[name])
    rows = [_row(name, trainings, partial(loss_cell, name)) for name in ordered]
    caption = "What the metric loses if columns are shuffled, with 95% intervals"
    yield from folded(caption, ["Columns", *_heads(trainings)], rows, "columns")


def _origin(trainings: Sequence[Training]) -> Table:
    tables = dict.fromkeys(name for one in trainings for name in one.tables)
    rows = [
        _row("Run date", trainings, lambda one: Cell(str(one.run.run_date))),
        _row("Code", trainings, lambda one: _text(one.run.code_revision, 12)),
        *(_row(f"Delta version of {name}", trainings, partial(_delta_version, name)) for name in tables),
        _row("Definitions of features", trainings, lambda one: _text(one.evidence.get(DEFINITIONS), 12)),
        _row("Definition of the label", trainings, lambda one: _text(one.evidence.get(LABEL_HASH), 12)),
        _row("Time", trainings, lambda one: _text(one.run.seconds and seconds(one.run.seconds))),
        _row("Memory", trainings, lambda one: _text((of := one.evidence.get(PEAK_MEMORY)) and mebibytes(of))),
    ]
    return Table("Where they come from", ["Record", *_heads(trainings)], rows)


def _delta_version(table: str, one: Training) -> Cell:
    return Cell(str(one.tables.get(table, "")), why="not read")


def _text(value: object, longest: int = 40) -> Cell:
    return Cell(str(value or "")[:longest], why="not on record")
