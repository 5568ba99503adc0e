"""The evidence of a version without the values of sensitive columns: what pages, logs and gates see of it.

Evidence names values where it tells rows apart: in slices and conditions, in groups and their thresholds. Numbered
masks stand in their place, so that different groups stay different. The table `model_events` has the evidence as it is.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from nightjar.evaluation.slices.conditions import Condition
from nightjar.masking.values import MASK, Masking


def mask_evidence(evidence: Mapping[str, Any], masking: Masking) -> dict[str, Any]:
    """Evidence as `nightjar.learning.evidence.Evidence` has it, in which no value of a sensitive column is named.

    Example:
        >>> evidence = {"gates": {"slices": [{"column": "district", "value": "Old Town", "size": 40}]}}
        >>> mask_evidence(evidence, Masking(frozenset({"district"})))
        {'gates': {'slices': [{'column': 'district', 'value': '(masked 1)', 'size': 40}]}}
    """
    shown: dict[str, Any] = _Masks(masking).of(evidence, ()) if masking.columns else dict(evidence)
    return shown


@dataclass(frozen=True)
class _Masks:
    """The masks of one version's evidence: the same value of a column has the same one throughout.

    Attributes:
        masking: says of which columns.
        numbers: column -> value -> number of the mask.
    """

    masking: Masking
    numbers: dict[str, dict[str, int]] = field(default_factory=dict)

    def of(self, part: Any, columns: Sequence[str]) -> Any:
        """A part of the evidence; `columns` are those by which groups in it are told apart."""
        if isinstance(part, list | tuple):
            return [self.of(one, columns) for one in part]
        if isinstance(part, str):
            return self.masking.text(part)
        if not isinstance(part, Mapping):
            return part
        own = self._slice(part) if "conditions" in part else part
        columns = own.get("columns", columns)
        columns = columns if isinstance(columns, list | tuple) else ()
        return {name: self._field(name, value, own, columns) for name, value in own.items()}

    def _field(self, name: str, value: Any, part: Mapping[str, Any], columns: Sequence[str]) -> Any:
        column = part.get("column")
        if isinstance(column, str) and "columns" in part and name == "groups":  # of combinations of values
            return [[self._mask(*one) for one in zip(columns, own, strict=True)] for own in value]
        if isinstance(column, str) and name in ("value", "groups"):
            return [self._mask(column, one) for one in value] if isinstance(value, list) else self._mask(column, value)
        is_group = name in ("group", "values") and isinstance(value, list | tuple) and len(value) == len(columns)
        if is_group:
            return [self._mask(own, one) for own, one in zip(columns, value, strict=True)]
        return self.of(value, columns)

    def _mask(self, column: str, value: Any) -> Any:
        if not self.masking.hides(column):
            return value
        own = self.numbers.setdefault(column, {})
        return f"{MASK[:-1]} {own.setdefault(str(value), len(own) + 1)})"

    def _slice(self, part: Mapping[str, Any]) -> Mapping[str, Any]:
        """A slice whose conditions on sensitive columns, and whose text, name a mask."""
        if not any(self.masking.hides(one["column"]) for one in part["conditions"]):
            return part
        conditions = [self._condition(one) for one in part["conditions"]]
        text = " and ".join(str(one) for one in conditions)
        name = part.get("name")
        is_named = name not in (None, part["text"])
        shown = [one.to_json() for one in conditions]
        return {**part, "text": text, "conditions": shown} | ({} if is_named or name is None else {"name": text})

    def _condition(self, stored: Mapping[str, Any]) -> Condition:
        column, is_other = stored["column"], "other_than" in stored
        values = tuple(stored.get("other_than" if is_other else "values", ()))
        if self.masking.hides(column):
            is_value = len(values) == 1 and not is_other
            return Condition(column, values=(self._mask(column, values[0] if is_value else dict(stored)),))
        return Condition(column, stored.get("low"), stored.get("high"), values, is_other)
