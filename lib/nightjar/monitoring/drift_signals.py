"""What of a night's drift somebody should know: a signal for each cluster of columns, fault and source."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from nightjar.evaluation.histograms import Counts
from nightjar.masking.values import MASK, NOTHING_HIDDEN, Masking
from nightjar.monitoring.drift_changes import change_of, clusters, most_changed, name_of, slices_that_explain
from nightjar.monitoring.drift_history import History
from nightjar.monitoring.drift_importance import limit_of, worst_of
from nightjar.monitoring.drift_judging import FAULTS, Assessment
from nightjar.monitoring.drift_references import References
from nightjar.monitoring.drift_sentences import sentence_of_cluster, sentence_of_unimportant
from nightjar.monitoring.night_counts import Night
from nightjar.monitoring.signals import Kind, Signal, State
from nightjar.monitoring.upstream import changed_unit
from nightjar.tables.references import ALL_COLUMNS, ALL_SCORES

UNIMPORTANT = "columns of little use"
"""The subject of columns that moved and of which the model uses next to nothing."""
OF_FAMILY = {ALL_COLUMNS: Kind.COVARIATE, ALL_SCORES: Kind.PREDICTION}


@dataclass(frozen=True)
class Drifted:
    """A night beside its reference, as far as signals need it.

    Attributes:
        assessments: subject -> how bad it is.
        history: of the nights before.
        nights: subject that moved -> counts of the reference's nights.
        train: the command that trains a version anew.
        declared: subjects that people have declared to matter, whatever the model uses of them.
        looks: feature -> the command that shows what its source has sent.
        masking: hides what sensitive columns hold.
    """

    references: References
    night: Night
    assessments: Mapping[str, Assessment]
    history: History
    nights: Mapping[str, Counts]
    run_date: date
    train: str
    declared: Collection[str] = ()
    looks: Mapping[str, str] = field(default_factory=dict)
    masking: Masking = NOTHING_HIDDEN

    def importance(self, subjects: Sequence[str]) -> float | None:
        """The share of what the model uses that some columns have; None: nobody has measured it."""
        shares = [self.references.subjects[name].importance for name in subjects]
        measured = [share for share in shares if share is not None]
        return sum(measured) if measured else None

    def weight(self, subject: str) -> float:
        """How far a subject is times what the model uses of it."""
        assessment, share = self.assessments[subject], self.importance([subject])
        return (assessment.greatest or 0.0) * (1.0 if share is None else share)

    def state(self, subjects: Sequence[str]) -> State:
        """How bad it is that some subjects moved: no worse than what the model uses of them allows."""
        own = [self.assessments[name] for name in subjects]
        is_fault = any(one.reason in FAULTS for one in own)
        is_declared = any(name in self.declared for name in subjects)
        limit = State.ACT if is_declared else limit_of(self.importance(subjects), is_fault=is_fault)
        return worst_of((one.state for one in own), limit)


def moved(assessments: Mapping[str, Assessment], references: References) -> list[str]:
    """The subjects that somebody should look at."""
    return [name for name in references.subjects if name in assessments and assessments[name].has_moved]


def signals(drifted: Drifted) -> Iterator[Signal]:
    """One signal for each cluster that moved and each unit that changed; where none did, one for all together."""
    yield from _schema(drifted.night.failures, drifted.references)
    scores, every = set(drifted.references.scores), moved(drifted.assessments, drifted.references)
    for family, kind in OF_FAMILY.items():
        subjects = [name for name in every if (name in scores) == (family == ALL_SCORES)]
        if family == ALL_SCORES and not scores:
            continue
        units = {name: unit for name in subjects if (unit := _unit(drifted, name)) is not None}
        for name, unit in units.items():
            yield _of_unit(drifted, name, unit)
        rest = [name for name in subjects if name not in units]
        changes = [change_of(name, drifted.references.subjects[name], drifted.night.counts[name]) for name in rest]
        grouped = [_ranked(drifted, group) for group in clusters(changes, drifted.nights)]
        grouped.sort(key=lambda group: -drifted.weight(group[0]))
        unimportant = [group for group in grouped if drifted.state(group) is State.OK]
        yield from (_of_cluster(drifted, kind, group) for group in grouped if group not in unimportant)
        if unimportant:
            yield _of_unimportant(drifted, kind, unimportant)
        if not subjects:
            yield _of_family(drifted, family, kind)


def signal_by_subject(own: Sequence[Signal]) -> dict[str, Signal]:
    """Column -> the signal that speaks of it, of signals of `signals`."""
    return {column: one for one in own for column in one.evidence.get("columns", [])}


def _ranked(drifted: Drifted, group: Sequence[str]) -> list[str]:
    return sorted(group, key=lambda name: (-drifted.weight(name), -(drifted.assessments[name].greatest or 0.0), name))


def _of_cluster(drifted: Drifted, kind: Kind, group: Sequence[str]) -> Signal:
    first, top, share = drifted.references.subjects[group[0]], drifted.assessments[group[0]], drifted.importance(group)
    change = change_of(group[0], first, drifted.night.counts[group[0]])
    bins = list(most_changed(change))
    if drifted.masking.hides(group[0]):
        bins = [replace(one, words=MASK, clause=f"is {MASK}") for one in bins]
    slices = slices_that_explain(change, first, drifted.night.slices.get(group[0], {}), drifted.night.rows)
    explained = [(drifted.masking.text(name), part, rows) for name, part, rows in slices]
    evidence = {
        "columns": list(group),
        "greatest": {name: drifted.assessments[name].greatest for name in group},
        "p_value": top.p_value,
        "threshold": top.threshold,
        "importance": share,
        "bins": [{"bin": one.words, "share": one.now, "share_in_training": one.before} for one in bins],
        "slices": [{"slice": name, "of_change": part, "of_rows": rows} for name, part, rows in explained],
    }
    state, since = drifted.state(group), drifted.history.since(group, drifted.run_date)
    sentence = sentence_of_cluster(group, top, bins, explained, share)
    command = drifted.looks.get(group[0]) if state is State.ACT else None
    return Signal(kind, name_of(group), state, sentence, command, since, evidence)


def _of_unimportant(drifted: Drifted, kind: Kind, groups: Sequence[Sequence[str]]) -> Signal:
    """One signal for all clusters of which the model uses next to nothing, as bad as all of them together can be."""
    columns = [name for group in groups for name in group]
    share, state = drifted.importance(columns) or 0.0, drifted.state(columns)
    sentence = sentence_of_unimportant([name_of(group) for group in groups], share)
    evidence = {
        "columns": columns,
        "greatest": {name: drifted.assessments[name].greatest for name in columns},
        "importance": share,
    }
    since = None if state is State.OK else drifted.history.since(columns, drifted.run_date)
    return Signal(kind, UNIMPORTANT, state, sentence, None, since, evidence)


def _unit(drifted: Drifted, name: str) -> str | None:
    moments = drifted.night.moments.get(name)
    if moments is None or moments[0] is None:
        return None
    return changed_unit(drifted.references.subjects[name], *moments)


def _of_unit(drifted: Drifted, name: str, unit: str) -> Signal:
    reference, (mean, _) = drifted.references.subjects[name], drifted.night.moments[name]
    factor = mean / (reference.mean or 1.0)
    sentence = (
        f"{name}: all values are about {factor:.3g} times those of training, as if {unit}: the mean is {mean:.4g}, and "
        f"was {reference.mean:.4g}. Ask whoever sends the column."
    )
    evidence: dict[str, Any] = {"columns": [name], "factor": factor, "mean": mean, "mean_in_training": reference.mean}
    since = drifted.history.since([name], drifted.run_date)
    return Signal(Kind.UPSTREAM, f"unit of {name}", State.ACT, sentence, None, since, evidence)


def _of_family(drifted: Drifted, family: str, kind: Kind) -> Signal:
    one = drifted.assessments[family]
    evidence = {"maximum": one.greatest, "p_value": one.p_value, "threshold": one.threshold, "nights": one.nights}
    if one.state is State.UNKNOWN:
        sentence = f"Nobody can say whether {family} moved: {one.reason}. Train a version on more nights."
        return Signal(kind, family, State.UNKNOWN, sentence, drifted.train, None, evidence)
    what = "score" if family == ALL_SCORES else "column"
    sentence = f"No {what} is farther from its training data than nights of the training were from those before them."
    return Signal(kind, family, State.OK, sentence, None, None, evidence)


def _schema(failures: Mapping[str, str], references: References) -> Iterator[Signal]:
    for name, reason in failures.items():
        sentence = f"{name} cannot be compared with its training data: {reason}. Look for what changed it upstream."
        yield Signal(Kind.SCHEMA, name, State.ACT, sentence, None, None, {"reason": reason})
    if not failures:
        count = len(references.subjects)
        yield Signal(Kind.SCHEMA, ALL_COLUMNS, State.OK, f"All {count} columns are there, of the types of training.")
