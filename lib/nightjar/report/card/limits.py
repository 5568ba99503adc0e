"""What a version cannot do, or has not shown: what is on record says it, people need not."""

from collections.abc import Iterator
from datetime import date, timedelta

from nightjar.models.unseen import reads_native_categories
from nightjar.registry.events import ACTED_ON, MISSING_DATES
from nightjar.registry.gates.outcomes_seen import UNOBSERVED
from nightjar.registry.lifetime import lifetime
from nightjar.registry.period import this_period_only
from nightjar.report.card.records import Records
from nightjar.report.formatting import percent
from nightjar.report.tiers import read_tiers

_YEAR = timedelta(days=365)


def limits(records: Records) -> list[str]:
    """As sentences, those of the figures first."""
    return [
        *_of_figures(records),
        *_of_outcomes(records),
        *_of_data(records),
        *_of_life(records),
        *(
            f"Known of source {name}: {gap}."
            for name, one in records.project.sources.items()
            for gap in one.datasheet.gaps
        ),
    ]


def _of_figures(records: Records) -> Iterator[str]:
    only = this_period_only(records.evidence)
    if only is not None:
        yield f"The figures are of their period only: {only}."
    if records.is_stand_in:
        yield "It is a baseline, which stands in until a model is better than all baselines."
    yield (
        "The figures are of a fit on rows before the final period. The model that is stored has learned from the final "
        "period, too: nothing has measured that very fit before it serves."
    )
    evidence = records.evidence
    measured = {
        "slices": evidence.get("slices_searched"),
        "groups": evidence.get("fairness") or (evidence.get("gates") or {}).get("fairness"),
        "features": evidence.get("importance"),
    }
    missing = [name for name, figures in measured.items() if not figures]
    if missing:
        yield f"Not measured: what the figures are by {' and by '.join(missing)}."
    columns = dict.fromkeys(one.by_group.columns for one in read_tiers(evidence) if one.by_group is not None)
    if columns:
        yield f"Decisions depend on {' and '.join(columns)}: the tiers have thresholds by group."


def _of_outcomes(records: Records) -> Iterator[str]:
    evidence, label = records.evidence, records.project.label
    if evidence.get("null_labels"):
        share = percent(evidence["null_labels"])
        yield (
            f"Outcomes are selected: {share} of the known labels are null, of rows that were settled without one. The "
            "model has neither learned from such rows nor been measured on them: if they differ from the others, the "
            "figures do not hold for them."
        )
    if evidence.get(ACTED_ON):
        share = percent(evidence[ACTED_ON])
        yield f"{share} of the known labels are of rows that somebody has acted on, which are left out likewise."
    elif label.acted.column is not None:
        yield "Rows that somebody has acted on are neither learned from nor measured on."
    rows = evidence.get(UNOBSERVED)
    if rows and rows["acted_on"]:
        share = percent(rows["without_outcome"] / rows["acted_on"])
        yield (
            f"Of {rows['acted_on']:,.0f} rows of the final period that it would act on, {rows['without_outcome']:,.0f} "
            f"({share}) have no outcome: how it does on them is not known."
        )


def _of_data(records: Records) -> Iterator[str]:
    if records.manifest is not None:
        first, last = map(date.fromisoformat, records.manifest.period)
        if last - first < _YEAR:
            yield (
                f"It has learned from {first} to {last} alone, less than a year: what a season does that is not in it, "
                "it has not seen."
            )
        if any(one.type == "category" for one in records.manifest.features):
            yield (
                "Levels that it has not seen in training are taken for missing, and marked in each score."
                if reads_native_categories(records.manifest.structure)
                else "Levels that it has not seen in training are scored as its preparation treats unknown levels, "
                "without a mark."
            )
    missing = records.evidence.get(MISSING_DATES)
    if missing:
        yield f"{missing[0].upper()}{missing[1:].partition('. If they')[0]}."
    if records.definitions_differ:
        yield (
            "The project's definitions of features or label have been edited since it was trained: what this card says "
            "of them is as they are now."
        )


def _of_life(records: Records) -> Iterator[str]:
    dates = lifetime(records.evidence)
    if dates.revalidate_on is not None:
        yield f"It is to be validated again from {dates.revalidate_on} on."
    if dates.expires_on is not None:
        yield f"It expires on {dates.expires_on}: from that run date on it scores nothing."
    elif not records.is_stand_in:
        yield "It has no expiry date: it scores until another version is promoted."
    for outcome in (one for decision in records.decisions[-1:] for one in decision.outcomes):
        if outcome["verdict"] != "passed":
            yield f"Gate {outcome['gate']} ({outcome['verdict']}): {outcome['sentence']}"
