"""The card as JSON: a bill of materials of CycloneDX 1.7 (ECMA-424), with the model as its subject and its `modelCard`.

Of the schemas of model cards that there are, this one is maintained and published by a standards body: the model card
of TensorFlow's Model Card Toolkit, from which it comes, has seen no release since 2023, and the metadata of Hugging
Face's cards are keys of a page for their hub, without a schema of figures. What it has no place for are `properties`,
whose names begin with `nightjar:`.
"""

import json
import uuid
from collections.abc import Iterator, Mapping
from typing import Any

from nightjar.registry.events import PEAK_MEMORY
from nightjar.registry.packages import PYTHON
from nightjar.report.card.limits import limits
from nightjar.report.card.records import Records
from nightjar.report.error_analysis import read_error_analysis
from nightjar.report.fairness import read_fairness, read_mitigation
from nightjar.report.tiers import read_tiers
from nightjar.settings.datasheet import Datasheet
from nightjar.settings.task import Task

MODEL = "model"
_VALUE_OF = {Task.CLASSIFICATION: "probability", Task.MULTICLASS: "probability of each class"}


def to_json(records: Records) -> str:
    """The bill of materials as text; the same records give the same text."""
    return json.dumps(bill_of_materials(records), indent=2, ensure_ascii=False) + "\n"


def bill_of_materials(records: Records) -> dict[str, Any]:
    """The model as component, its packages and sources as others."""
    packages = {} if records.manifest is None else dict(records.manifest.packages)
    times = [records.run.recorded_at, *(one.recorded_at for one in records.decisions)]
    refs = [f"package:{name}" for name in packages] + [f"source:{name}" for name in records.project.sources]
    identity = f"{records.project.name}/{records.number}/{records.run.run_id}"
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.7.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.7",
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_OID, identity)}",
        "version": 1 + len(records.decisions),
        "metadata": {
            "timestamp": max(times).isoformat(),
            "tools": {"components": [_tool(records)]},
            "component": _model(records),
        },
        "components": [
            *(_package(name, number) for name, number in packages.items()),
            *(_source(name, one.datasheet) for name, one in records.project.sources.items()),
        ],
        "dependencies": [{"ref": MODEL, "dependsOn": refs}],
    }


def _tool(records: Records) -> dict[str, Any]:
    version = {"version": records.run.code_revision} if records.run.code_revision else {}
    return {"type": "application", "name": "nightjar", **version}


def _model(records: Records) -> dict[str, Any]:
    owner = records.project.card.owner
    return {
        "type": "machine-learning-model",
        "bom-ref": MODEL,
        "name": records.project.name,
        "version": records.number,
        "description": records.project.title or records.project.name,
        **({"manufacturer": {"name": owner}} if owner else {}),
        "modelCard": {
            "modelParameters": _parameters(records),
            "quantitativeAnalysis": {"performanceMetrics": list(_metrics(records))},
            "considerations": _considerations(records),
            "properties": [{"name": f"nightjar:{name}", "value": value} for name, value in _properties(records)],
        },
    }


def _parameters(records: Records) -> dict[str, Any]:
    label, manifest = records.project.label, records.manifest
    features = () if manifest is None else manifest.features
    inputs = [{"format": f"{one.name}: {one.type}"} for one in features]
    output = _VALUE_OF.get(label.task, "number")
    return {
        "approach": {"type": "supervised"},
        "task": label.task.word,
        **({} if manifest is None else {"architectureFamily": manifest.estimator}),
        "modelArchitecture": records.name,
        "datasets": [{"ref": f"source:{name}"} for name in records.project.sources],
        "inputs": inputs,
        "outputs": [{"format": f"{output}: {label.question()}"}],
    }


def _metrics(records: Records) -> Iterator[dict[str, Any]]:
    """Of the version, then of baselines, whose name stands in brackets; then of slices and groups."""
    evidence = records.evidence
    yield from _of_model(evidence.get("candidate") or {}, "")
    for name, figures in (evidence.get("baselines") or {}).items():
        yield from _of_model(figures, f" (baseline {name})")
    analysis = read_error_analysis(evidence)
    for part in analysis.slices if analysis else ():
        interval = {"estimate": part.difference, "low": part.low, "high": part.high}
        yield from _metric(
            f"{analysis.loss if analysis else ''} minus that of the other rows", interval, slice_of=part.text
        )
    for grouping in read_fairness(evidence):
        for group in grouping.groups:
            for name, one in group.figures.items():
                interval = dict(zip(("estimate", "low", "high"), one.value, strict=True))
                yield from _metric(name, interval, slice_of=group.title)


def _of_model(figures: Mapping[str, Any], suffix: str) -> Iterator[dict[str, Any]]:
    for name, one in figures.items():
        if isinstance(one, Mapping):
            yield from _metric(f"{name}{suffix}", one)


def _metric(kind: str, one: Mapping[str, Any], slice_of: str | None = None) -> Iterator[dict[str, Any]]:
    if one.get("estimate") is None:
        return
    bounds = {"lowerBound": one.get("low"), "upperBound": one.get("high")}
    has_bounds = None not in bounds.values()
    yield {
        "type": kind,
        "value": str(one["estimate"]),
        **({} if slice_of is None else {"slice": slice_of}),
        **({"confidenceInterval": {name: str(value) for name, value in bounds.items()}} if has_bounds else {}),
    }


def _considerations(records: Records) -> dict[str, Any]:
    card = records.project.card
    use = [card.purpose] if card.purpose else []
    return {
        "users": list(card.users),
        "useCases": [*use, *(f"Not for: {one}" for one in card.out_of_scope)],
        "technicalLimitations": limits(records),
        "ethicalConsiderations": [{"name": one} for one in card.considerations],
    }


def _properties(records: Records) -> Iterator[tuple[str, str]]:
    manifest, run, evidence = records.manifest, records.run, records.evidence
    yield "run_id", run.run_id
    yield "run_date", str(run.run_date)
    if manifest is not None:
        yield "rows", str(manifest.rows)
        yield "period", " to ".join(manifest.period)
        yield "data_cutoff", manifest.data_cutoff
        yield "data_hash", manifest.data_hash
        yield "definitions_hash", manifest.definitions_hash
        yield from ((f"data:{table}", str(version)) for table, version in manifest.data.items())
        yield from ((f"seed:{purpose}", str(seed)) for purpose, seed in manifest.seeds.items())
        yield from ((f"parameter:{name}", str(value)) for name, value in manifest.parameters.items())
    yield "final_period", " to ".join(evidence.get("period", ()))
    yield from _thresholds(evidence)
    yield from (
        ("mitigation", f"{one.kind}: {one.goal} by {one.columns}") for one in read_mitigation(evidence) if one.is_used
    )
    yield from _optional({"seconds": run.seconds, PEAK_MEMORY: evidence.get(PEAK_MEMORY)})
    for one in records.decisions:
        who = "" if one.approval is None else f" by {one.approval.user}"
        yield f"decision:{one.recorded_at.isoformat()}", f"{one.event} for {one.holds_from}{who}: {one.reason}"


def _thresholds(evidence: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Of each tier, and of each group in it."""
    for tier in read_tiers(evidence):
        yield f"threshold:{tier.name}", _score(tier.value)
        if tier.by_group is not None:
            of_groups = [*tier.by_group.values.items(), ("any other", tier.by_group.unseen)]
            yield from (
                (f"threshold:{tier.name}:{tier.by_group.columns}: {group}", _score(value)) for group, value in of_groups
            )


def _score(threshold: float | None) -> str:
    return "acts on none" if threshold is None else str(threshold)


def _optional(values: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    yield from ((name, str(value)) for name, value in values.items() if value is not None)


def _package(name: str, number: str) -> dict[str, Any]:
    component = {"type": "library", "bom-ref": f"package:{name}", "name": name, "version": number}
    if name == PYTHON:
        return component | {"type": "platform"}
    return component | {"purl": f"pkg:pypi/{name.lower()}@{number}"}


def _source(name: str, datasheet: Datasheet) -> dict[str, Any]:
    stated = datasheet.statements()
    properties = [
        {"name": f"nightjar:{key}", "value": text}
        for key, texts in stated.items()
        if key not in ("owner", "purpose", "sensitivity")
        for text in texts
    ]
    data: dict[str, Any] = {"type": "dataset", "name": name}
    if properties:
        data["contents"] = {"properties": properties}
    if datasheet.sensitivity is not None:
        data["classification"] = datasheet.sensitivity.value
    if datasheet.owner:
        data["governance"] = {"owners": [{"organization": {"name": datasheet.owner}}]}
    purpose = {"description": datasheet.purpose} if datasheet.purpose else {}
    return {"type": "data", "bom-ref": f"source:{name}", "name": name, **purpose, "data": [data]}
