"""A warehouse of loans that people look at: scores with tiers and reasons, their features, and outcomes of the past."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pyarrow as pa

from nightjar.scoring.identity import prediction_ids
from nightjar.settings.files import File
from nightjar.settings.label import Label
from nightjar.settings.project import Project
from nightjar.settings.serving.reviewing import ReviewDecision, Reviewing
from nightjar.settings.serving.serving import Serving
from nightjar.settings.sources import Column, ColumnType, Source
from nightjar.settings.spine import Spine
from nightjar.settings.tiers import Tier, TierKind
from nightjar.tables import arrow
from nightjar.tables.definitions import features_table, labels_table
from nightjar.tables.reasons import REASONS_COLUMN
from nightjar.tables.score_definitions import scores_table
from nightjar.tables.table import Column as TableColumn
from nightjar.tables.warehouse import Warehouse

NIGHT = date(2024, 4, 3)
NOON = datetime(2024, 4, 3, 10, tzinfo=UTC)
"""Noon of that date in Paris."""
OPTIONAL = (
    REASONS_COLUMN,
    TableColumn("abstained", pa.string(), "why nobody should act on the score by itself"),
)
KEY = pa.schema([("applicant", pa.string())])
FEATURES = pa.schema(
    [("amount", pa.float64()), ("income", pa.float64()), ("purpose", pa.string()), ("age", pa.int64())]
)
REVIEW = Reviewing(
    decisions={
        "grant": ReviewDecision("The loan is paid out.", answer=False),
        "refuse": ReviewDecision("The applicant gets a letter with the reasons.", answer=True),
        "ask": ReviewDecision("The branch asks for another document.", reason=True),
    },
    tiers=["reject", "review"],
    proposals={"reject": "refuse", "review": "grant"},
    due="2d",
    worth="amount",
    shown=["amount", "income", "purpose", "age"],
    similar=["amount", "income", "purpose"],
)


def project(review: Reviewing = REVIEW, sensitive: tuple[str, ...] = ()) -> Project:
    text, number = Column(ColumnType.STRING), Column(ColumnType.DOUBLE)
    source = Source(
        File("data/applications.csv"),
        columns={
            **dict.fromkeys(("applicant", "purpose"), text),
            **dict.fromkeys(("amount", "income", "age"), number),
            **{name: Column(ColumnType.TIMESTAMP) for name in ("at", "day_over")},
            "defaulted": Column(ColumnType.BOOLEAN),
        },
        key=["applicant", "at"],
        event_time="at",
    )
    return Project(
        name="loans",
        title="Loans that will not be repaid",
        zone="Europe/Paris",
        first_date="2023-01-01",
        history_until="2024-01-01",
        first_night="2024-01-02",
        sources={"applications": source},
        spine=Spine("applications", ["applicant"], "day_over", ["amount", "income", "purpose", "age"]),
        label=Label("applications", {"applicant": "applicant"}, "defaulted", "26w"),
        tiers={name: Tier(TierKind.CAPACITY, at_most=10) for name in ("reject", "review")},
        serving=Serving(sensitive=list(sensitive), review=review),
    )


def store(warehouse: Warehouse, of: Project, cases: int = 40, past: int = 60, night: date = NIGHT, **columns) -> None:
    """So many predictions of a night, every second one in a tier that is reviewed; and past ones with outcomes.

    `columns` replace those of the night's scores, such as `reasons`.
    """
    random = np.random.default_rng(0)
    _store_rows(warehouse, of, random, night, 2 * cases, "a", columns)
    if past:
        _store_rows(warehouse, of, random, night - timedelta(days=200), past, "p", {})
        _store_outcomes(warehouse, of, night - timedelta(days=200), past)


def key_rows(night: date, count: int, letter: str) -> dict:
    begins = datetime(night.year, night.month, night.day, tzinfo=UTC) - timedelta(hours=2)
    return {"applicant": [f"{letter}{number:05}" for number in range(count)], "prediction_time": count * [begins]}


def _store_rows(warehouse, of, random, night, count, letter, columns):
    key = key_rows(night, count, letter)
    features = {
        "amount": np.round(np.exp(random.normal(9, 0.8, count)), -2),
        "income": np.round(np.exp(random.normal(8, 0.4, count)), -1),
        "purpose": random.choice(["car", "kitchen", "moving house", "debts"], count),
        "age": random.integers(18, 80, count),
    }
    rows = pa.table(key | features).to_pylist()
    stamps = {"run_date": night, "run_id": "build-1", "definitions_hash": "d" * 64}
    arrow.append(warehouse, features_table(of, KEY, FEATURES), [row | stamps for row in rows], "build-1")
    scores = np.round(random.beta(2, 3, count), 4)
    table = {
        "score": scores,
        "tier": [("reject" if score > 0.6 else "review") if at % 2 else "approve" for at, score in enumerate(scores)],
        "prediction_id": prediction_ids(of.name, pa.table(key)),
        "reasons": [_reasons(row, score) for row, score in zip(rows, scores, strict=True)],
        "abstained": [None if at % 17 else "out of range" for at in range(count)],
    }
    stamps = {
        "run_date": night,
        "role": "champion",
        "run_id": "score-1",
        "model_version": "7",
        "model_name": "boosting",
    }
    stored = [row | stamps for row in pa.table(key | table | columns).to_pylist()]
    arrow.append(warehouse, scores_definition(of), stored, "score-1")


def scores_definition(of):
    """With the columns that not every project has."""
    definition = scores_table(of, KEY)
    names = {column.name for column in definition.columns}
    return replace(
        definition, columns=(*definition.columns, *(column for column in OPTIONAL if column.name not in names))
    )


def _reasons(row, score):
    ratio, change = row["amount"] / row["income"], "raises" if score > 0.3 else "lowers"
    return [
        {
            "feature": "amount_to_income",
            "value": f"{ratio:.2f}",
            "contribution": 0.4 * (score - 0.3) * 5,
            "usual": "1.2 to 4.8",
            "text": f"Loan beside income: {ratio:.2f}, usually 1.2 to 4.8; {change} the score",
        },
        {
            "feature": "income",
            "value": f"{row['income']:,.0f}",
            "contribution": -0.21,
            "usual": "2,100 to 4,400",
            "text": "The income, as far as it is known",
        },
        {"feature": "purpose", "value": row["purpose"], "contribution": 0.08, "usual": None, "text": ""},
    ]


def _store_outcomes(warehouse, of, night, count):
    key = key_rows(night, count, "p")
    stamps = {"run_date": night + timedelta(days=190), "run_id": "build-1", "label_hash": "e" * 64}
    known_at = datetime(2024, 3, 1, tzinfo=UTC)
    rows = [
        row | stamps | {"label": bool(at % 3 == 0), "label_known_at": known_at}
        for at, row in enumerate(pa.table(key).to_pylist())
    ]
    arrow.append(warehouse, labels_table(of, KEY), rows, "build-1")
