"""The card as a document: from the records of a version to the sections that a reader looks for."""

from nightjar.registry.lifetime import lifetime
from nightjar.registry.period import intervals_over
from nightjar.report.card import figures, history, origin
from nightjar.report.card.limits import limits
from nightjar.report.card.records import Records
from nightjar.report.champion import Promise, promise_of
from nightjar.report.document import Bullets, Document, Facts, Section
from nightjar.report.figures import Fact
from nightjar.report.formatting import figure, interval, measure, signed, whole
from nightjar.settings.task import Task

NOT_STATED = "not stated"


def document(records: Records) -> Document:
    """The card of a version, without its links."""
    project, run, promise = records.project, records.run, promise_of(records.evidence)
    what = "baseline" if records.is_stand_in else "model"
    return Document(
        eyebrow="Model card",
        title=f"{project.title or project.name}: version {records.number}",
        meta=f"{records.name}, a {what} of project {project.name}, trained on what was known at the midnight of "
        f"{run.run_date} ({project.zone}). {standing(records)}",
        facts=_facts(records, promise),
        summary=_summary(records, promise),
        sections=[
            Section("use", "What it is for", [Facts(_use(records))]),
            *figures.sections(records, promise),
            Section("limits", "Limits", [Bullets(limits(records))]),
            *origin.sections(records),
            *history.sections(records),
        ],
        footer=[_footer(records)],
    )


def standing(records: Records) -> str:
    """Whether it scores, as of the last decision on record."""
    if records.is_champion and records.champion is not None:
        words = f"It is champion from run date {records.champion[1]} on"
    elif any(one.event == "promoted" for one in records.decisions):
        words = f"It was champion; version {records.champion[0]} is now" if records.champion else "It was champion"
    elif not records.decisions:
        words = "Nobody has decided about it yet: it scores nothing"
    else:
        words = f"It is no champion: {records.decisions[-1].event} for {records.decisions[-1].holds_from}"
    expires_on = lifetime(records.evidence).expires_on
    return f"{words}{'' if expires_on is None else f', and expires on {expires_on}'}."


def _facts(records: Records, promise: Promise | None) -> list[Fact]:
    facts = []
    if promise is not None and promise.metric is not None:
        own = promise.of_champion(promise.metric)
        if own is not None and own.estimate is not None:
            detail = f"95% interval {interval(own.low, own.high)}" if own.low is not None else "no interval"
            facts.append(Fact(figure(own.estimate), measure(promise.metric), detail, "figures"))
        difference = promise.difference
        if difference.estimate is not None:
            detail = (
                f"interval {signed(difference.low)} to {signed(difference.high)}"
                if difference.low is not None
                else "no interval"
            )
            facts.append(Fact(signed(difference.estimate), f"against {promise.over}", detail, "figures"))
    if records.manifest is not None:
        period = " to ".join(records.manifest.period)
        facts.append(Fact(whole(records.manifest.rows), "rows learned from", period, "data"))
        facts.append(Fact(str(len(records.manifest.features)), "features", "", "features"))
    count = len(limits(records))
    facts.append(Fact(str(count), "limits", "read them before use", "limits"))
    return facts


def _summary(records: Records, promise: Promise | None) -> str:
    label = records.project.label
    of = "the probability of each class of" if label.task is Task.MULTICLASS else ""
    of = "the probability that" if label.task is Task.CLASSIFICATION else of
    question = (
        f"It estimates {f'{of} '.lstrip()}{label.question()}, within {label.horizon} after a row's prediction time."
    )
    if promise is None:
        return f"{question} Its evidence cannot be read, so that nothing is said of how good it is."
    over = intervals_over(records.evidence)
    period = f"{promise.period[0]} to {promise.period[1]}" if len(promise.period) == 2 else "a period not on record"
    return (
        f"{question} How good it is was measured once, on {period}, dates that its search had not seen, beside "
        f"baselines on the same rows; 95% intervals are over {over}."
    )


def _use(records: Records) -> list[tuple[str, list[str]]]:
    card, silence = records.project.card, [NOT_STATED]
    return [
        ("Purpose", [card.purpose] if card.purpose else silence),
        ("Users", card.users or silence),
        ("Not for", card.out_of_scope or silence),
        ("To be weighed", card.considerations or silence),
        ("Owner", [card.owner] if card.owner else silence),
        ("Contact", [card.contact] if card.contact else silence),
    ]


def _footer(records: Records) -> str:
    artifact = records.absence or "the signed manifest of its artifact"
    return (
        f"Made of the tables model_events, performance and runs, {artifact}, and the settings of project "
        f"{records.project.name}. There are no rows of data on it, only figures over many of them."
    )
