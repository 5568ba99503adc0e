"""What a version is made of: its features and label, its data, and the machine and packages that trained it."""

from collections.abc import Iterator

from nightjar.registry.events import PEAK_MEMORY
from nightjar.report.card.features import shown_features
from nightjar.report.card.records import Records
from nightjar.report.document import Absence, Cell, Details, Facts, Paragraph, Part, Section, Table
from nightjar.report.formatting import mebibytes, percent, seconds, whole
from nightjar.settings.datasheet import Datasheet
from nightjar.settings.descriptions import describe_fields

_NOT_STATED = "not stated"


def sections(records: Records) -> list[Section]:
    """Features, label, data, data sheets, training."""
    return [
        Section("features", "What goes in", list(_features(records))),
        Section("label", "What comes out", [Facts(_label(records))]),
        Section("data", "Data", list(_data(records))),
        Section("sources", "Sources of the data", list(_sources(records))),
        Section("training", "How it was trained", list(_training(records))),
    ]


def _features(records: Records) -> Iterator[Part]:
    kinds = {} if records.manifest is None else {one.name: one.type for one in records.manifest.features}
    shown = shown_features(records.project, kinds)
    rows = [
        [
            Cell(one.name),
            Cell(one.kind or "", why="not on record"),
            Cell(one.meaning),
            Cell(one.source, why="made of other columns of the row"),
        ]
        for one in shown
    ]
    yield Paragraph("Nothing that became known after a row's prediction time is in its features.", is_note=True)
    yield Details(
        f"All {len(shown)} features",
        [Table("Features in the order of the model", ["Feature", "Type", "Meaning", "Source"], rows)],
    )


def _label(records: Records) -> list[tuple[str, list[str]]]:
    label, manifest = records.project.label, records.manifest
    scores = {
        "classification": "a probability that it is true",
        "multiclass": "a probability of each class, and the class of the least expected cost",
    }
    facts = [
        ("Predicted", [label.question()]),
        ("Task", [label.task.word]),
        ("Source", [label.source]),
        ("Horizon", [label.horizon]),
        ("Corrections count", [f"until {label.allowed_lateness} after that"]),
        ("A score is", [scores.get(label.task.value, "a number in the unit of the label")]),
    ]
    if label.classes:
        facts.append(("Classes", [f"{value}: {name}" for value, name in label.classes.items()]))
    if manifest is not None and manifest.costs:
        names = manifest.classes
        facts.append(
            (
                "Cost of a mistake",
                [
                    f"{actual} taken for {predicted}: {cost:g}"
                    for actual, row in zip(names, manifest.costs, strict=True)
                    for predicted, cost in zip(names, row, strict=True)
                    if actual != predicted
                ],
            )
        )
    return facts


def _data(records: Records) -> Iterator[Part]:
    manifest, nulls = records.manifest, records.evidence.get("null_labels")
    if manifest is None:
        yield Absence(f"The manifest of its artifact could not be read: {records.absence}")
        return
    yield Facts(
        [
            ("Rows learned from", [whole(manifest.rows)]),
            ("Their dates", [" to ".join(manifest.period)]),
            ("Measured on", [" to ".join(records.evidence.get("period", ())) or "not on record"]),
            ("Known until", [manifest.data_cutoff]),
            ("Null labels", ["not on record" if nulls is None else percent(nulls)]),
            ("Tables", [f"{name}, Delta version {version}" for name, version in manifest.data.items()]),
            ("Content of the rows", [f"SHA-256 {manifest.data_hash}"]),
            ("Definitions of features", [manifest.definitions_hash]),
            ("Definition of the label", [manifest.label_hash or "not on record"]),
        ]
    )


def _sources(records: Records) -> Iterator[Part]:
    """A data sheet for each source, what it does not state among it."""
    names = list(describe_fields(Datasheet))
    for source, one in records.project.sources.items():
        stated = one.datasheet.statements()
        purpose = stated.get("purpose", [""])[0]
        items = [(name.replace("_", " ").capitalize(), stated.get(name, [_NOT_STATED])) for name in names]
        yield Details(f"{source}: {purpose}" if purpose else source, [Facts(items)])


def _training(records: Records) -> Iterator[Part]:
    manifest, run, evidence = records.manifest, records.run, records.evidence
    unrecorded = "not recorded"
    memory = evidence.get(PEAK_MEMORY)
    rate = (evidence.get("gates") or {}).get("rows_per_second")
    facts = [
        ("Run", [run.run_id]),
        ("Registered", [f"{run.recorded_at:%Y-%m-%d %H:%M} UTC"]),
        ("Code", [run.code_revision or (manifest.code_revision if manifest else unrecorded)]),
        (
            "Time",
            [unrecorded if run.seconds is None else f"{seconds(run.seconds)}, the search of all candidates included"],
        ),
        (
            "Memory",
            [
                unrecorded
                if memory is None
                else f"{mebibytes(memory)} at most in the process that trained; fits of the search run in others"
            ],
        ),
        ("Scoring", [unrecorded if rate is None else f"{rate:,.0f} rows a second in one process"]),
    ]
    if manifest is None:
        yield Facts(facts)
        return
    seeds = [f"{purpose} {seed}" for purpose, seed in manifest.seeds.items()]
    yield Facts([*facts, ("Estimator", [manifest.estimator]), ("Seeds", seeds)])
    parameters = [[Cell(name), Cell(str(value))] for name, value in manifest.parameters.items()]
    if parameters:
        yield Table("Parameters", ["Parameter", "Value"], parameters)
    packages = [[Cell(name), Cell(number)] for name, number in manifest.packages.items()]
    yield Details("Packages", [Table("Packages with which it was stored", ["Package", "Version"], packages)])
