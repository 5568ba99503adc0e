"""What gates say of a night: the outcome of each, and its row of `quality`."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from nightjar.settings.gates import Gate, GateCheck, GateSeverity
from nightjar.sources.gates.judging import Band
from nightjar.sources.gates.measures import Measured
from nightjar.tables.quality import GATE, LEARNING, PASS, REFUSED, WARN

_COUNTED = (GateCheck.VOLUME, GateCheck.MEAN, GateCheck.REPRESENTATIVE, GateCheck.FRESHNESS)
"""Checks that no row fails: `rows` are those that they looked at."""


@dataclass(frozen=True)
class Period:
    """What a night covers.

    Attributes:
        cutoff: of the night.
        zone: of the project.
        last: the local day that ends with it.
        days: the local days on which its facts became known; none of a first load, which is compared with nothing.
    """

    cutoff: datetime
    zone: str
    last: date
    days: tuple[date, ...]


@dataclass(frozen=True)
class Finding:
    """What one gate measured, beside what was expected.

    Attributes:
        amiss: what is wrong, in words; None: nothing.
        value: the measure, in its unit; that of the last day where days are judged.
        band: what passes.
        learning: why nothing was judged, in words; None: it was.
    """

    amiss: str | None = None
    value: float | None = None
    band: Band | None = None
    learning: str | None = None


@dataclass(frozen=True)
class GateResult:
    """The outcome of one gate."""

    name: str
    gate: Gate
    measured: Measured
    finding: Finding
    days: str | None = None
    examples: tuple[str, ...] = ()

    def amiss(self) -> str | None:
        """What is wrong, with examples of rows."""
        return f"{self.finding.amiss}, such as {' '.join(self.examples)}" if self.examples else self.finding.amiss

    def with_examples(self, rows: Sequence[str]) -> "GateResult":
        """The same with rows that fail, as JSON."""
        return replace(self, examples=tuple(rows))

    @property
    def status(self) -> str:
        """As `quality` has it, of a night that goes on."""
        if self.finding.amiss is None:
            return LEARNING if self.finding.learning else PASS
        return REFUSED if self.gate.severity is GateSeverity.REFUSE else WARN

    def row(self) -> dict[str, object]:
        """Its columns of `quality`."""
        measured, finding = self.measured, self.finding
        band = finding.band
        counted = measured.rows if self.gate.check in _COUNTED else measured.failing
        return {
            "check": GATE + self.name,
            "rows": measured.refused if self.gate.severity is GateSeverity.REFUSE else counted,
            "of": measured.rows,
            "status": self.status,
            "message": self.amiss() or finding.learning,
            "severity": self.gate.severity.word,
            "value": finding.value,
            "lowest": band.lowest if band else self.gate.minimum,
            "highest": band.highest if band else self.gate.maximum,
            "history": None if self.days is None else band.days if band else 0,
            "days": self.days,
        }
