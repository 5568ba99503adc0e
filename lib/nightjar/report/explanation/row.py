"""Why a row has its score, as a document."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from nightjar.explanation.of_row import Effect, RowExplanation
from nightjar.masking.showing import show, show_key
from nightjar.report.document import Absence, Cell, Chart, Document, Paragraph, Part, Section, Table
from nightjar.report.explanation.charts import Addition, additions
from nightjar.report.figures import Fact
from nightjar.report.formatting import figure, percent, signed

SHOWN = 12
"""Columns of the chart and of the local model; the table has them all."""


def document(
    explanation: RowExplanation,
    *,
    project: str,
    run_date: date,
    model: str,
    key: Mapping[str, Any],
    stored_score: float,
    reasons: Sequence[Mapping[str, Any]] | None = None,
) -> Document:
    """The explanation of one prediction of a night.

    Args:
        explanation: what it says.
        project: its title.
        run_date: of the night.
        model: which scored the row.
        key: what the row is about.
        stored_score: as it was served.
        reasons: that are stored with it; None: none are.
    """
    about = ", ".join(f"{name} {show_key(value)}" for name, value in key.items())
    what = "score" if explanation.output is None else f"probability of {explanation.output}"
    first = explanation.effects[0] if explanation.effects else None
    facts = [Fact(figure(stored_score), what, "as it was served", "effects")]
    if explanation.threshold is not None:
        side = "at or above" if stored_score >= explanation.threshold else "below"
        facts.append(Fact(figure(explanation.threshold), "threshold", f"the score is {side} it", "changes"))
    if first is not None:
        facts.append(Fact(signed(first.added), first.column, f"adds most, in {explanation.scale}", "effects"))
    return Document(
        eyebrow=f"Why this score · {project}",
        title=about,
        meta=f"Night of {run_date}, {model}. What it is explained by is the row as it is stored in the table features.",
        facts=facts,
        summary=_summary(explanation, what),
        sections=[
            Section("effects", "What made the score", _effects(explanation)),
            Section("reasons", "The reasons that are stored with it", _reasons(explanation, reasons)),
            Section("changes", "What would change the decision", _changes(explanation)),
            Section("around", "A simple model around the row", _surrogate(explanation)),
        ],
        footer=[
            f"Beside {explanation.background:,} other rows.",
            "An explanation is of the model: what it goes by need not be what causes the outcome.",
        ],
    )


def _summary(explanation: RowExplanation, what: str) -> str:
    up = [one.column for one in explanation.effects if one.added > 0][:2]
    down = [one.column for one in explanation.effects if one.added < 0][:2]
    halves = [f"most raised by {' and '.join(up)}"] if up else []
    halves += [f"most lowered by {' and '.join(down)}"] if down else []
    return f"The {what} of this row is {', '.join([figure(explanation.score), *halves])}."


def _effects(explanation: RowExplanation) -> list[Part]:
    if not explanation.effects:
        return [Absence("The model goes by no column here: every row has the same score.")]
    total = explanation.base + sum(one.added for one in explanation.effects)
    caption = f"What the columns add to the raw score ({explanation.scale})"
    bars = [Addition(f"{one.column} = {show(one.value)}", one.added) for one in explanation.effects[:SHOWN]]
    is_sampled = explanation.effects[0].error is not None
    how = (
        "They are sampled Shapley values, with their standard error: this model has no exact ones."
        if is_sampled
        else "They are exact Shapley values of the columns."
    )
    of_classes = "" if explanation.output is None else ": of log-odds what softmax makes probabilities of"
    return [
        Chart(caption, additions(bars, caption)),
        Table(
            f"From {signed(explanation.base)} where nothing is known of a row to {signed(total)}",
            ["Column", "Value", "Adds"],
            [[Cell(one.column), Cell(show(one.value)), _added(one)] for one in explanation.effects],
        ),
        Paragraph(f"{how} The raw score is what the model computes before any calibration{of_classes}.", is_note=True),
    ]


def _reasons(explanation: RowExplanation, reasons: Sequence[Mapping[str, Any]] | None) -> list[Part]:
    """As they were stored, beside what the columns add by the row and the model of today."""
    if not reasons:
        why = "no feature is shown to move it" if reasons is not None else "project.serving.reasons asks for none"
        return [Absence(f"There are none: {why}.")]
    today = {one.column: one.added for one in explanation.effects}
    rows = [
        [Cell(one["text"]), Cell(one["feature"]), Cell(signed(one["contribution"])), _today(today.get(one["feature"]))]
        for one in reasons
    ]
    note = (
        "They were made when the row was scored. Where a column adds something else today, the row has been built anew "
        "since then; sampled contributions differ within their error."
    )
    heads = ["Reason", "Column", "Added then", "Adds today"]
    return [Table("The most important first", heads, rows), Paragraph(note, is_note=True)]


def _today(added: float | None) -> Cell:
    return Cell("", why="the model does not read it") if added is None else Cell(signed(added))


def _added(one: Effect) -> Cell:
    return Cell(signed(one.added), "" if one.error is None else f"± {figure(one.error)}")


def _changes(explanation: RowExplanation) -> list[Part]:
    if explanation.counterfactuals is None:
        why = "no decision is made by a threshold of this model's score"
        if explanation.threshold is not None:
            why = "project.explain.actionable names no column that somebody could change"
        return [Absence(f"Not looked for: {why}.")]
    if not explanation.counterfactuals:
        return [Absence("No change of up to three actionable columns, within their ranges, changes the decision.")]
    own = {one.column: one.value for one in explanation.effects}
    rows = [
        [
            Cell(", ".join(f"{name}: {show(own.get(name))} → {show(value)}" for name, value in one.changes.items())),
            Cell(figure(one.score)),
            Cell(figure(one.distance)),
        ]
        for one in explanation.counterfactuals
    ]
    note = (
        "Each was scored again by itself. Only columns that project.explain.actionable names are changed, within their "
        "ranges; whether they can be changed one without the other is for people to judge."
    )
    heads = ["Change", "Score", "Distance (standard deviations, 1 for a level)"]
    caption = f"The nearest changes to the other side of {figure(explanation.threshold)}"
    return [Table(caption, heads, rows), Paragraph(note, is_note=True)]


def _surrogate(explanation: RowExplanation) -> list[Part]:
    surrogate = explanation.surrogate
    if surrogate.fidelity is None:
        return [Absence("Around this row the score does not vary: there is nothing to imitate.")]
    pairs = sorted(zip(surrogate.columns, surrogate.effects, strict=True), key=lambda pair: -abs(pair[1]))
    rows = [[Cell(name), Cell(signed(effect))] for name, effect in pairs[:SHOWN]]
    fidelity = percent(max(0.0, surrogate.fidelity))
    doubt = "" if surrogate.fidelity >= 1 / 2 else " That is little: do not go by it."
    return [
        Paragraph(f"It explains {fidelity} of the variance of the score around the row, on rows drawn anew.{doubt}"),
        Table("What having the row's own value adds to the score, beside another row's", ["Column", "Adds"], rows),
    ]
