"""What every engine is asked, in plain data: the programs of both environments read it, as JSON from their input."""

from dataclasses import dataclass
from typing import Any

VALUES = ("v1", "v2")
AGGREGATES = ("count", "sum", "mean", "std", "min", "max")
DAY = 86_400_000_000
WINDOWS = {"1d": DAY, "7d": 7 * DAY, "28d": 28 * DAY, "91d": 91 * DAY}


@dataclass(frozen=True)
class Facts:
    """One fact table: columns `key`, `event_time`, `known_at`, `v1`, `v2`.

    Attributes:
        name: the prefix of the result's columns.
        key: the column that it shares with the spine.
        files: Parquet files, each in a folder `bucket=N`, sorted by (key, event_time).
    """

    name: str
    key: str
    files: tuple[str, ...]


@dataclass(frozen=True)
class Case:
    """One question on one shape of data.

    The result has the spine's columns and, for each fact table, `<facts>__v1` and `<facts>__v2` of the latest fact at
    or before `prediction_time`; or, with windows, `<facts>__v1_<aggregate>_<window>` over the facts in
    `(prediction_time - window, prediction_time]`.

    Attributes:
        folder: where the shape lies: its raw files, and what engines build from them.
        spine: Parquet files with `spine_id`, the keys and `prediction_time`.
        facts: the fact tables.
        windows: label -> length in microseconds; empty asks for the latest values.
        cores: how many an engine may use.
        memory_gb: the most that an engine may plan with.
    """

    folder: str
    spine: tuple[str, ...]
    facts: tuple[Facts, ...]
    windows: dict[str, int]
    cores: int
    memory_gb: int

    @property
    def keys(self) -> list[str]:
        """The spine's keys, each once."""
        return list(dict.fromkeys(facts.key for facts in self.facts))

    @property
    def spine_columns(self) -> list[str]:
        """The columns that come from the spine."""
        return ["spine_id", *self.keys, "prediction_time"]

    @property
    def features(self) -> list[str]:
        """The columns that come from the facts."""
        if self.windows:
            return [f"{facts.name}__v1_{a}_{w}" for facts in self.facts for w in self.windows for a in AGGREGATES]
        return [f"{facts.name}__{value}" for facts in self.facts for value in VALUES]


def from_json(data: dict[str, Any]) -> Case:
    """The case that `dataclasses.asdict` was made from."""
    facts = tuple(Facts(one["name"], one["key"], tuple(one["files"])) for one in data["facts"])
    return Case(**data | {"facts": facts, "spine": tuple(data["spine"])})
