"""What a model goes by, as a document."""

from collections.abc import Sequence
from datetime import date

from nightjar.explanation.of_model import ModelExplanation
from nightjar.report import forest
from nightjar.report.document import Absence, Cell, Chart, Document, Paragraph, Part, Section, Table, estimate_cell
from nightjar.report.explanation.charts import curves
from nightjar.report.figures import Fact
from nightjar.report.forest import Bar
from nightjar.report.formatting import figure, percent

SHOWN = 12


def document(
    explanation: ModelExplanation, *, project: str, run_date: date, model: str, importance: Sequence[Part]
) -> Document:
    """The explanation of a model.

    Args:
        explanation: what it says.
        project: its title.
        run_date: up to which its rows are.
        model: which.
        importance: what its training has measured, as the card shows it.
    """
    surrogate, first = explanation.surrogate, explanation.effects[0] if explanation.effects else None
    facts = [Fact(f"{explanation.rows:,}", "rows", f"of {explanation.nights} nights", "effects")]
    if first is not None and first.size.estimate is not None:
        facts.append(Fact(figure(first.size.estimate), first.column, f"moves {explanation.scale} most", "effects"))
    if surrogate.fidelity is not None:
        facts.append(Fact(percent(max(0.0, surrogate.fidelity)), "fidelity", "of a small tree", "surrogate"))
    return Document(
        eyebrow=f"What the model goes by · {project}",
        title=model,
        meta=f"On stored rows of {explanation.nights} nights up to {run_date}.",
        facts=facts,
        summary=_summary(explanation),
        sections=[
            Section("effects", "What columns add to scores", _effects(explanation)),
            Section("importance", "What it loses without a column", importance),
            Section("dependence", "How the score depends on a column", _dependences(explanation)),
            Section("surrogate", "A small tree that imitates it", _surrogate(explanation)),
        ],
        footer=["An explanation is of the model: what it goes by need not be what causes the outcome."],
    )


def _summary(explanation: ModelExplanation) -> str:
    names = [one.column for one in explanation.effects if one.size.estimate][:3]
    if not names:
        return "The model reads no column that moves its score."
    return f"Its score is moved most by {', '.join(names[:-1])}{' and ' if names[:-1] else ''}{names[-1]}."


def _effects(explanation: ModelExplanation) -> list[Part]:
    effects = [one for one in explanation.effects if one.size.estimate is not None]
    if not effects:
        return [Absence("The model reads no column: every row has the same score.")]
    caption = f"Mean absolute contribution to the raw score ({explanation.scale}), with 95% intervals"
    bars = [Bar(one.column, one.size.estimate or 0.0, one.size.low, one.size.high) for one in effects[:SHOWN]]
    rows = [
        [Cell(one.column), estimate_cell(one.size.estimate, one.size.low, one.size.high, one.size.reason or "")]
        for one in effects
    ]
    how = (
        "Sampled Shapley values: their error makes small contributions look greater than they are."
        if explanation.is_sampled
        else "Exact Shapley values of the columns."
    )
    return [
        Chart(caption, forest.chart(bars, caption, origin=0.0)),
        Table(caption, ["Column", "Mean absolute contribution"], rows),
        Paragraph(f"{how} Intervals are over entities and nights.", is_note=True),
    ]


def _dependences(explanation: ModelExplanation) -> list[Part]:
    if not explanation.dependences:
        return [Absence("No column moves the score.")]
    parts = [
        Paragraph(
            "The thick line, or dot, is the mean score where all rows have this value (partial dependence), thin lines "
            "are single rows. Other columns stay as they are, even where they exclude the value.",
            is_note=True,
        )
    ]
    what = "Score" if explanation.output is None else f"Probability of {explanation.output}"
    titles = [f"{what} by {one.column}" for one in explanation.dependences]
    charts = [curves(one, title) for one, title in zip(explanation.dependences, titles, strict=True)]
    return [*parts, *map(Chart, titles, charts)]


def _surrogate(explanation: ModelExplanation) -> list[Part]:
    surrogate = explanation.surrogate
    if surrogate.fidelity is None:
        return [Absence("The score does not vary on these rows: there is nothing to imitate.")]
    rows = [
        [Cell(" and ".join(leaf.conditions) or "all rows"), Cell(figure(leaf.score)), Cell(percent(leaf.share))]
        for leaf in surrogate.leaves
    ]
    of = "Mean score" if explanation.output is None else f"Mean probability of {explanation.output}"
    fidelity = percent(max(0.0, surrogate.fidelity))
    doubt = "" if surrogate.fidelity >= 1 / 2 else " That is little: do not go by it."
    return [
        Paragraph(f"It explains {fidelity} of the variance of the score on nights it was not fitted to.{doubt}"),
        Table("Its leaves", ["Rows", of, "Share of rows"], rows),
    ]
