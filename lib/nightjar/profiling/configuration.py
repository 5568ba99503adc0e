"""The configuration files of a proposed project."""

from collections.abc import Mapping
from typing import Any

from nightjar.profiling import clocks as clock_choice
from nightjar.profiling.clock_columns import quote
from nightjar.profiling.columns import ColumnProfile
from nightjar.profiling.gate_proposals import propose_gates
from nightjar.profiling.label_proposals import LabelProposal
from nightjar.profiling.names import unused
from nightjar.profiling.proposal import MOST_SPINE_ROWS, NIGHTS, Proposal
from nightjar.profiling.remarks import Remark
from nightjar.profiling.terminal import format_value
from nightjar.profiling.yaml import comment, flow, printable, text
from nightjar.settings.features import Aggregate
from nightjar.settings.files import FileFormat
from nightjar.settings.sources import ColumnType
from nightjar.settings.spine import SampleBy, SpineKind
from nightjar.settings.task import Task

SERIES = "series"
"""The key of a spine of one thing alone."""
HEAD = "Written by nightjar new-project after a look at the file. What is marked CHECK the data alone cannot tell."

OF_GATES = (
    "What the file passes, with room for what comes. A night that fails one goes on, and its scores are marked: with "
    "severity: stop it ends, with severity: refuse the rows that fail are left out."
)


def files(proposal: Proposal) -> dict[str, str]:
    """Path within `conf/` -> text. What others refer to comes first, projects last."""
    texts = {f"source/{proposal.name}/{proposal.source}.yaml": source(proposal)}
    texts[f"features/{proposal.name}/{_group(proposal)}.yaml"] = features(proposal)
    for name, question in proposal.label_proposals.items():
        texts[f"search/{name}.yaml"] = search(question)
    for name, question in proposal.label_proposals.items():
        texts[f"project/{name}.yaml"] = project(proposal, name, question)
    return {path: _modeline(path) + one for path, one in texts.items()}


def source(proposal: Proposal) -> str:
    """The source: file, columns, key and clocks."""
    profile, names = proposal.profile, proposal.names
    event, known_at_clock, derived = clock_choice.sql(proposal.clocks, names)
    renamed = {names[name]: quote(name) for name in profile.columns if names[name] != name}
    series = {} if proposal.entity else {_entity(proposal)[0]: f"'{proposal.source}'"}
    key = [names[name] for name in proposal.key]
    keep = [one for one in [*series, *names.values()] if one not in key]
    settings = {"path": profile.file.path, "format": profile.file.format.word, "null_text": profile.null_text}
    if profile.file.format is FileFormat.PARQUET:
        del settings["null_text"]
    remarks, of_clocks = proposal.remarks, proposal.clocks.remarks
    lines = [comment(HEAD)]
    lines += [f"file: {flow(settings)}\n\ncolumns:\n", *(_column(proposal, one) for one in profile.columns.values())]
    lines += [comment(f"left out: {name!r}, {why}", 2) for name, why in profile.left_out.items()]
    if expressions := {**renamed, **derived, **series}:
        lines += ["\nderived:\n", *(f"  {text(name)}: {flow(sql)}\n" for name, sql in expressions.items())]
    if profile.columns[proposal.clocks.event.column].nulls:
        lines += ["\n", f"where: {flow(f'{quote(event)} IS NOT NULL')}\n"]
    lines += ["\n", comment(remarks["key"]), f"key: {flow(key)}\n"]
    lines += [comment(of_clocks["event_time"]), f"event_time: {text(event)}\n"]
    lines += [comment(of_clocks["known_at"]), f"known_at: {text(known_at_clock)}\n"]
    lines += [f"keep: {flow(keep)}\n", *_arrival(proposal), *_gates(proposal)]
    return "".join(lines)


def features(proposal: Proposal) -> str:
    """The feature group: what was last, and sliding windows."""
    names, group = proposal.names, _group(proposal)
    windows = flow([f"{days}d" for days in _windows(proposal)])
    value_counts = {"kind": "window", "column": names[proposal.key[0]], "aggregate": "count"}
    definitions = [f"facts: {flow(value_counts)[:-1]}, windows: {windows}}}"]
    for column in proposal.measures:
        name, nulls = names[column.name], ", skip_nulls: true" if column.nulls else ""
        definitions.append(f"{text(name + '_last')}: {{kind: latest, column: {text(name)}{nulls}}}")
        if column.kind is not ColumnType.STRING:
            aggregate = Aggregate.RATE if column.kind is ColumnType.BOOLEAN else Aggregate.MEAN
            of = f"{name}_{aggregate.value}"
            definitions.append(
                f"{text(of)}: {{kind: window, column: {text(name)}, aggregate: {aggregate.word}, windows: {windows}}}"
            )
    lines = [comment(HEAD), f"{group}:\n  source: {proposal.source}\n"]
    lines += [f"  keys: {flow({name: name for name in _entity(proposal)})}\n  features:\n"]
    lines += [f"    {one}\n" for one in definitions]
    others = f"other columns that could be features: {', '.join(proposal.unused)}"
    return "".join([*lines, *([comment(others, 4)] if proposal.unused else [])])


def search(question: LabelProposal) -> str:
    """The search: the quick one, as long as the data are."""
    classifies, plan = question.task is Task.CLASSIFICATION, question.plan
    base, stand_in = ("quick", "majority") if classifies else ("quick_amounts", "mean")
    span = f"{plan.folds} folds of {plan.test_days} days and a final period of {plan.final_days}"
    return "".join([
        comment(HEAD),
        f"defaults:\n  - {base}\n  - _self_\n\n",
        comment(f"{span}, {plan.final_days // plan.horizon} times the label's horizon, fit into the data."),
        f"split: {{folds: {plan.folds}, test_days: {plan.test_days}}}\nfinal_days: {plan.final_days}\n",
        comment("Scores the night where no winner deserves it: the report then says so."),
        f"stand_in: {stand_in}\n",
    ])  # fmt: skip


def project(proposal: Proposal, name: str, question: LabelProposal) -> str:
    """The project: zone, dates, spine and label."""
    dates, source_name = proposal.dates, proposal.source
    title = f"{source_name.replace('_', ' ')}: {question.title}"
    days = [f"first_date: {flow(dates.first.isoformat())}\n"]
    if dates.remark:
        days.insert(0, comment(dates.remark))
    days += [
        comment(f"open, for nights go on as the file grows; its newest fact is of {dates.newest}"),
        "last_date: null\n",
    ]
    days += [f"history_until: {flow(dates.history_until().isoformat())}\n"]
    days += [f"first_night: {flow(dates.first_night().isoformat())}\nnights: {NIGHTS}\n"]
    return "".join([
        comment(HEAD),
        f"defaults:\n  - /source@sources.{source_name}: {proposal.name}/{source_name}\n",
        f"  - /features@features: {proposal.name}/{_group(proposal)}\n  - _self_\n\n",
        f"name: {name}\ntitle: {flow(title)}\n",
        comment(proposal.clocks.remarks["zone"]),
        f"zone: {proposal.clocks.zone}\n",
        *days,
        *_spine(proposal),
        "\n",
        comment(question.remark),
        "label:\n",
        *(f"  {key}: {flow(value)}\n" for key, value in _label(proposal, question).items()),
        *_expressions(proposal),
    ])  # fmt: skip


def _modeline(path: str) -> str:
    """The comment by which editors know a file's schema, which lies in `schemas/` of the same `conf/`."""
    folder, *below = path.split("/")
    return f"# yaml-language-server: $schema={'../' * len(below)}schemas/{folder}.json\n"


def _column(proposal: Proposal, column: ColumnProfile) -> str:
    settings: dict[str, Any] = {"type": column.kind.word}
    if not column.nulls and column.name in (*proposal.key, proposal.clocks.event.column):
        settings["required"] = True
    parts = [f"{format_value(column.least)} to {format_value(column.greatest)}"] if column.least is not None else []
    parts += [f"{column.distinct:,} different" if column.distinct > 1 else "always the same"]
    parts += [f"such as {', '.join(map(repr, column.examples))}"] if column.least is None else []
    parts += [f"{column.nulls:,} without a value"] if column.nulls else []
    parts += [f"{column.not_finite:,} NaN or infinite"] if column.not_finite else []
    remark = comment(Remark(column.reason, is_open=column.is_doubtful), 2) if column.reason else ""
    return f"{remark}  {text(column.name)}: {flow(settings)}  # {printable('; '.join(parts))[:150]}\n"


def _arrival(proposal: Proposal) -> list[str]:
    if not proposal.dates.quiet:
        return [comment("Every date has facts: by default a night without any stops.")]
    reason = f"On {proposal.dates.quiet:,} of the dates there is no fact: a night without any is a night."
    return [comment(reason), "arrival: {min_rows: 0}\n"]


def _gates(proposal: Proposal) -> list[str]:
    gates = [(flow(gate.settings), gate) for gate in propose_gates(proposal)]
    lines = [f"  {text(gate.name)}: {settings}  # {printable(gate.observed)}\n" for settings, gate in gates]
    return ["\n", comment(OF_GATES), "gates:\n", *lines]


def _spine(proposal: Proposal) -> list[str]:
    remark = proposal.remarks["entity"]
    why = f"Most gaps between two facts of one are no longer than {proposal.within} days."
    lines = ["\n", f"spine:\n  kind: {SpineKind.ACTIVE.word}\n  source: {proposal.source}\n", comment(remark, 2)]
    lines += [f"  key: {flow(_entity(proposal))}\n", comment(why, 2), f"  active_within: {proposal.within}d\n"]
    if proposal.spine_rows > MOST_SPINE_ROWS:
        dates = (proposal.dates.newest - proposal.dates.first).days + 1
        sample: dict[str, Any] = {"by": SampleBy.DAY.word, "maximum": MOST_SPINE_ROWS // dates + 1}
        sample |= {"until": proposal.dates.history_until().isoformat()}
        reason = f"{proposal.spine_rows:,} rows by {proposal.dates.newest} are more than training needs at first"
        lines += [comment(Remark(f"{reason}; nights are scored whole", is_open=True), 2), f"  sample: {flow(sample)}\n"]
    return lines


def _label(proposal: Proposal, question: LabelProposal) -> Mapping[str, Any]:
    column = proposal.names[question.column or proposal.key[0]]
    settings: dict[str, Any] = {} if question.task is Task.CLASSIFICATION else {"task": question.task.word}
    settings |= {"source": proposal.source, "keys": {name: name for name in _entity(proposal)}, "column": column}
    settings |= {"horizon": f"{question.plan.horizon}d", "aggregate": question.aggregate.word}
    if proposal.clocks.lateness:  # facts that happen in the horizon may be known only after it
        settings["allowed_lateness"] = f"{proposal.clocks.lateness}d"
    return settings | ({"condition": question.condition} if question.condition else {})


def _expressions(proposal: Proposal) -> list[str]:
    name = unused("days_since_last", [*_entity(proposal), *proposal.names.values()])
    days = f"(unix_seconds(prediction_time) - unix_seconds({_group(proposal)}__event_time)) / 86400.0"
    return ["\nexpressions:\n", f"  {name}: {flow(days)}\n"]


def _entity(proposal: Proposal) -> list[str]:
    if proposal.entity:
        return [proposal.names[name] for name in proposal.entity]
    return [unused(SERIES, [*proposal.names, *proposal.names.values()])]


def _group(proposal: Proposal) -> str:
    joined = "_".join(_entity(proposal))
    return joined if len(joined) <= 40 else "own"


def _windows(proposal: Proposal) -> list[int]:
    """Days: those that facts of active entities lie in, and that there are twice."""
    usual = (1, 7, 30) if proposal.within == 7 else (7, 30, 90)
    there = (proposal.dates.history_until() - proposal.dates.first).days
    return [days for days in usual if 2 * days <= there]
