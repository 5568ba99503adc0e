"""What each setting refuses on creation: the field, the value found, and what was expected."""

from dataclasses import replace
from pathlib import Path

import pytest

import builders
from nightjar.settings.arrival import Arrival
from nightjar.settings.costs import Amount, Costs
from nightjar.settings.environment import Environment
from nightjar.settings.fairness import GroupFairness, Mitigation, MitigationKind
from nightjar.settings.features import Aggregate, Feature, FeatureGroup, FeatureKind
from nightjar.settings.files import File
from nightjar.settings.jobs import Action, BuildFeatures, Job, LeaseAction, Leases, Promote
from nightjar.settings.label import Label
from nightjar.settings.labelling import Annotators, SelfTraining
from nightjar.settings.learning import ProposalKind, Proposals, Search, Stopping
from nightjar.settings.model import Estimator, Model
from nightjar.settings.nightly import Nightly
from nightjar.settings.project import Project
from nightjar.settings.promotion import Fairness, Promotion, Slices
from nightjar.settings.quarantine import Quarantine, QuarantineAction
from nightjar.settings.serving.abstention import Abstention
from nightjar.settings.serving.fallback import Fallback, Substitute
from nightjar.settings.serving.serving import Serving
from nightjar.settings.sources import Column, ColumnType, Lookup, Source
from nightjar.settings.spine import Sample, SampleBy, Spine, SpineKind, Weekday
from nightjar.settings.split import Split, SplitKind
from nightjar.settings.task import Task
from nightjar.settings.tiers import Tier, TierKind

TOP = Tier(TierKind.TOP, at_most=3)
RULE_ALONE = Fallback(chain=[Substitute.RULE], rule="seats", otherwise=0.5)
OF_GROUPS = Mitigation(MitigationKind.THRESHOLDS, ["site"])
PROJECT = builders.machines(Path("files"))
NUMBER = {"x": Column(ColumnType.DOUBLE)}
LOOKUP = {"file": File("f.csv"), "key": "x", "file_key": "x", "types": {"y": ColumnType.LONG}, "columns": {"y": "z"}}
SOURCE = {"file": File("f.csv"), "columns": {"x": Column(ColumnType.TIMESTAMP)}, "key": ["x"], "event_time": "x"}
LATEST, WINDOW = FeatureKind.LATEST, FeatureKind.WINDOW
MEAN = Aggregate.MEAN
OF_RESULTS = (
    "spark.sql.session.timeZone",
    "spark.sql.ansi.enabled",
    "spark.sql.ansi.doubleQuotedIdentifiers",
    "spark.sql.legacy.timeParserPolicy",
    "spark.sql.caseSensitive",
    "spark.sql.timestampType",
    "spark.sql.mapKeyDedupPolicy",
    "spark.sql.storeAssignmentPolicy",
    "spark.sql.parquet.int96RebaseModeInRead",
    "spark.sql.files.ignoreCorruptFiles",
    "spark.sql.optimizer.excludedRules",
    "spark.sql.extensions",
)
ACTIVE, DAY = SpineKind.ACTIVE, SampleBy.DAY
D = "2024-04-01"
WHO = {"from_source": "readings", "by": "ADA", "reason": "a test"}
LEASES = {"environment": Environment(), "project": PROJECT}
SPINE = {"source": "s", "key": ["k"], "prediction_time": "at"}
LABEL = {
    "source": "s",
    "keys": {"k": "k"},
    "column": "x",
    "horizon": "7d",
    "aggregate": Aggregate.COUNT,
    "condition": "value > 0",
}
MAJORITY, LOGISTIC = Model(Estimator.MAJORITY, baseline=True), Model(Estimator.LOGISTIC)
TWO = {"candidates": {"m": MAJORITY, "l": LOGISTIC}}


def spine(**changes):
    return {"spine": replace(PROJECT.spine, **changes)}


def group(**changes):
    return {"features": {"g": FeatureGroup(**{"source": "readings", "keys": {"machine": "machine"}} | changes)}}


def expression(name):
    return {"expressions": {name: "load"}}


LAST_X = {"features": {"last": Feature(LATEST, "x")}}
LAST_T = {"features": {"last": Feature(LATEST, "temperature")}}
TWICE = Feature(WINDOW, "temperature", aggregate=MEAN, windows=["1d"])


@pytest.mark.parametrize(
    ("kind", "values", "message"),
    [
        (Environment, {"shuffle_partitions": 0}, "shuffle_partitions: found 0, expected at least 1"),
        *(
            (Environment, {"spark": {option: "x"}}, f"spark: found '{option}', expected none that may change results")
            for option in OF_RESULTS
        ),
        (Environment, {"cpus": 0}, "cpus: found 0, expected at least 1"),
        (
            Leases,
            LEASES | {"action": LeaseAction.FREE, "reason": "gone"},
            "resource: found None, expected a resource with action",
        ),
        (
            Leases,
            LEASES | {"action": LeaseAction.FREE, "resource": "source/x", "reason": " "},
            "reason: found ' ', expected a",
        ),
        (
            Leases,
            LEASES | {"resource": "source/x"},
            "resource: found 'source/x', expected a resource with action=free, and none",
        ),
        *(
            (Quarantine, LEASES | {"action": action} | options, message)
            for action, options, message in (
                (
                    QuarantineAction.LIST,
                    {"from_source": "x"},
                    "from_source: found 'x', expected one of the sources ['outcomes'",
                ),
                (QuarantineAction.LIST, {"by": "ADA"}, "by: found 'ADA', expected none with action=list"),
                (QuarantineAction.SHOW, {"hashes": ["3F"]}, "hashes[0]: found '3F', expected"),
                (QuarantineAction.SHOW, {"night": D, "since": D}, "since: found '2024-04-01', expected none beside"),
                (
                    QuarantineAction.EXPORT,
                    {"file": "a.csv"},
                    "from_source: found None, expected a source with action=exp",
                ),
                (
                    QuarantineAction.EXPORT,
                    {"from_source": "readings"},
                    "file: found None, expected a text with action=exp",
                ),
                (QuarantineAction.CORRECT, WHO, "run_date: found None, expected a date"),
                (QuarantineAction.CORRECT, WHO | {"reason": " "}, "reason: found ' ', expected a text with action=c"),
                (QuarantineAction.CORRECT, WHO | {"night": D}, "night: found '2024-04-01', expected none with action"),
                (QuarantineAction.DISMISS, WHO, "hashes: found [], expected some rows with action=dismiss"),
            )
        ),
        (Promotion, {"better_by": 0.1, "not_worse_by": 0.1}, "not_worse_by: found 0.1, expected none beside better_by"),
        (Promotion, {"false_promotions_per_year": 0}, "false_promotions_per_year: found 0, expected more than 0"),
        (Fairness, {"columns": ["site"]}, "columns: found ['site'], expected columns together with a limit on one"),
        (Fairness, {"recall": 0.1}, "columns: found [], expected columns together with a limit on one"),
        (Costs, {"missed": 5}, "false_alarm: found None, expected more than 0, or both costs none"),
        (
            Costs,
            {"missed": "5", "false_alarm": 1},
            "missed: found '5', expected a number, or {column: NAME} for an amo",
        ),
        (
            Promotion,
            {"revalidate_after_days": 9, "expires_after_days": 9},
            "revalidate_after_days: found 9, expected few",
        ),
        (Tier, {"kind": TierKind.RECALL}, "at_least: found None, expected a share for kind=recall, precision and prob"),
        (
            Tier,
            {"kind": TierKind.CAPACITY},
            "at_most: found None, expected a number of rows a night for kind=capacity and",
        ),
        (Tier, {"kind": TierKind.COST, "at_most": 5}, "at_most: found 5, expected a number of rows a night for kind="),
        (Tier, {"kind": TierKind.PRECISION, "at_least": 90}, "at_least: found 90, expected at most 1"),
        (
            Tier,
            {"kind": TierKind.PROBABILITY},
            "at_least: found None, expected a share for kind=recall, precision and pr",
        ),
        (
            Tier,
            {"kind": TierKind.TOP, "at_most": 100_001},
            "at_most: found 100001, expected at most 100,000 for kind=t",
        ),
        (Abstention, {"tier": "no tier"}, "tier: found 'no tier', expected a plain identifier"),
        (Abstention, {"margin": 0.1}, "margin: found 0.1, expected 0, or out_of_range: true"),
        (Abstention, {"error": 0.5}, "error: found 0.5, expected less than 0.5"),
        (Costs, {"missed": 0, "false_alarm": 1}, "missed: found 0.0, expected more than 0, or both costs none"),
        (Costs, {"missed": 1, "false_alarm": float("nan")}, "false_alarm: found nan, expected more than 0"),
        (
            Column,
            {"type": ColumnType.LONG, "minimum": 2, "maximum": 1},
            "minimum: found 2.0, expected at most maximum=1.0",
        ),
        (Column, {"type": ColumnType.STRING, "minimum": 2}, "minimum/maximum: found 'string', expected a numeric"),
        (Lookup, LOOKUP | {"columns": {}, "types": {}}, "columns: found {}, expected at least one entry"),
        (Lookup, LOOKUP | {"types": {}}, "types: found [], expected the names ['y']"),
        (Lookup, LOOKUP | {"missing": {"k": {"q": "1"}}}, "missing: found 'q', expected one of the lookup's"),
        (Source, SOURCE | {"columns": {}}, "columns: found {}, expected at least one entry"),
        (Source, SOURCE | {"key": []}, "key: found [], expected at least one entry"),
        (Source, SOURCE | {"key": ["q"]}, "key: found 'q', expected one of the source's columns ['x']"),
        (Source, SOURCE | {"keep": ["q"]}, "keep: found 'q', expected one of the source's columns"),
        (Source, SOURCE | {"event_time": "q"}, "event_time: found 'q', expected one of the source's columns"),
        (Source, SOURCE | {"known_at": "q"}, "known_at: found 'q', expected one of the source's columns"),
        (Source, SOURCE | {"sequence": ["q"]}, "sequence: found 'q', expected one of the source's columns"),
        (Source, SOURCE | {"deleted": "q"}, "deleted: found 'q', expected one of the source's columns"),
        (Source, SOURCE | {"deleted": "x"}, "deleted: found 'x', expected a column that is neither in key nor in"),
        (
            Source,
            SOURCE | {"lookups": {"l": Lookup(**LOOKUP | {"key": "q"})}},
            "lookups.l.key: found 'q', expected one",
        ),
        (Feature, {"kind": LATEST, "column": "x", "lookback": "soon"}, "lookback: duration 'soon'"),
        (Feature, {"kind": LATEST, "column": "x", "lookback": "-1d"}, "lookback: duration '-1d'"),
        (Feature, {"kind": WINDOW, "column": "x", "windows": ["1d", "7"]}, "windows[1]: duration '7'"),
        (Feature, {"kind": WINDOW, "column": "x", "windows": ["-7d"]}, "windows[0]: duration '-7d'"),
        (
            Feature,
            {"kind": WINDOW, "column": "x", "windows": ["0d"]},
            "windows[0]: found '0d', expected a duration lon",
        ),
        (Arrival, {"min_rows": -1}, "min_rows: found -1, expected at least 0"),
        (Arrival, {"max_age": "0d"}, "max_age: found '0d', expected a duration longer than 0"),
        (Arrival, {"max_age": "a day"}, "max_age: duration 'a day': expected a whole number and a unit"),
        (Source, SOURCE | {"refuse_above": 1.5}, "refuse_above: found 1.5, expected at most 1"),
        (
            Source,
            SOURCE | {"derived": {"a.b": "x"}},
            "columns: found 'a.b', expected a name without dots and backticks",
        ),
        (Source, SOURCE | {"columns": NUMBER | {"a`b": NUMBER["x"]}}, "columns: found 'a`b', expected a name without"),
        (Source, SOURCE | {"derived": {"run_id": "x"}}, "columns: found ['run_id'], expected names other than"),
        (Model, {"estimator": Estimator.LOGISTIC, "parameters": {"C": 1}, "space": {"C": [1]}}, "space: found ['C']"),
        (Model, {"estimator": Estimator.LOGISTIC, "space": {"C": []}}, "space.C: found [], expected at least"),
        (
            Label,
            LABEL | {"task": Task.RANKING, "condition": None},
            "query: found [], expected columns for task=ranking",
        ),
        (
            Label,
            LABEL | {"query": ["list"]},
            "query: found ['list'], expected columns for task=ranking, none for other",
        ),
        (Label, LABEL | {"task": Task.REGRESSION}, "condition: found 'value > 0', expected none unless"),
        (Split, {"folds": 0}, "folds: found 0, expected at least 1"),
        (Split, {"kind": SplitKind.RANDOM, "folds": 1}, "folds: found 1, expected at least 2 for kind=random"),
        (Split, {"test_days": 0}, "test_days: found 0"),
        (Split, {"train_days": 0}, "train_days: found 0"),
        (Split, {"kind": SplitKind.RANDOM, "train_days": 7}, "train_days: found 7"),
        (Split, {"kind": SplitKind.GROUPED}, "group: found [], expected columns of the feature table"),
        (Split, {"group": ["site"]}, "group: found ['site'], expected none for this kind"),
        (Split, {"embargo": "-1d"}, "embargo: duration '-1d'"),
        (Proposals, {"trials": 5}, "trials: found 5, expected none for kind=grid"),
        (Proposals, {"kind": ProposalKind.TPE}, "trials: found None, expected at least 1"),
        (Proposals, {"kind": ProposalKind.TPE, "trials": 5, "batch": 0}, "batch: found 0, expected at least 1"),
        (Stopping, {"rungs": [2, 1]}, "rungs: found [2, 1], expected whole numbers from 1, each greater"),
        (Stopping, {"rungs": [0]}, "rungs[0]: found 0, expected at least 1"),
        (Stopping, {"keep": 1.0}, "keep: found 1.0, expected less than 1"),
        (Search, TWO | {"stopping": Stopping([3])}, "stopping.rungs: found [3], expected fewer folds than all 3"),
        (
            Search,
            {"candidates": {"m": MAJORITY, "l": Model(Estimator.LOGISTIC, space={"C": [1.0, 2.0]}), "l-2": LOGISTIC}},
            "candidates: found 'l-2', expected a plain identifier",  # the points of the space of l are called l-1, l-2
        ),
        (Search, TWO | {"minutes": 0}, "minutes: found 0, expected more than 0"),
        (
            Search,
            {"candidates": {"m": MAJORITY, "v": Model(Estimator.VOTING, members=["m", "q"])}},
            "candidates.v.members: found 'q', expected one of the other candidates ['m']",
        ),
        (
            Search,
            {
                "candidates": {
                    "m": MAJORITY,
                    "l": Model(Estimator.LOGISTIC, self_training=SelfTraining(0.9)),
                    "v": Model(Estimator.VOTING, members=["m", "l"]),
                }
            },
            "candidates.v.members: found 'l', expected a candidate without self_training: give it to the ensemble",
        ),
        (Search, TWO | {"final_days": 0}, "final_days: found 0"),
        (
            Search,
            TWO | {"stand_in": "nobody"},
            "stand_in: found 'nobody', expected none, or a baseline",
        ),
        (Search, TWO | {"block_days": 0}, "block_days: found 0, expected at least 1"),
        (Search, {"candidates": {"l": LOGISTIC}}, "candidates: found ['l'], expected at least one with baseline: true"),
        (Search, {"candidates": {"m": MAJORITY}}, "candidates: found ['m'], expected at least one that is no baseline"),
        (FeatureGroup, {"source": "s", "keys": {}, "features": {"f": Feature(LATEST, "x")}}, "keys: found {}, exp"),
        (FeatureGroup, {"source": "s", "keys": {"k": "k"}}, "features: has no value, and needs one; give fe"),
        (Label, {"source": "s", "keys": {}, "column": "x", "horizon": "1d"}, "keys: found {}, expected at least one"),
        (Label, {"source": "s", "keys": {"k": "k"}, "column": "x", "horizon": "0d"}, "horizon: found '0d', expected a"),
        (Label, {"source": "s", "keys": {"k": "k"}, "column": "x", "horizon": "1y"}, "horizon: duration '1y'"),
        (Label, LABEL | {"horizon": "-7d"}, "horizon: duration '-7d'"),
        (Label, LABEL | {"allowed_lateness": "-1d"}, "allowed_lateness: duration '-1d'"),
        (Label, LABEL | {"condition": None}, "condition: found None, expected a condition on the aggregate, such as"),
        (
            Label,
            LABEL | {"aggregate": None},
            "condition: found 'value > 0', expected none unless an aggregate is classified",
        ),
        (
            Label,
            LABEL | {"aggregate": None, "condition": None, "settled_early": True},
            "settled_early: found True, expected false unless an aggregate is",
        ),
        (
            Label,
            LABEL | {"aggregate": MEAN, "settled_early": True},
            "settled_early: found True, expected false, or an aggregate among ['count', 'distinct', 'max', 'min']",
        ),
        (
            Label,
            LABEL | {"condition": "value < 3", "settled_early": True},
            "condition: found 'value < 3', expected value > NUMBER (or equal), which no further fact undoes",
        ),
        (
            Label,
            LABEL | {"aggregate": Aggregate.MIN, "settled_early": True},
            "condition: found 'value > 0', expected value < NUMBER (or equal), which no further fact undoes",
        ),
        (Spine, SPINE | {"key": []}, "key: found [], expected at least one entry"),
        (Spine, SPINE | {"key": ["label"]}, "key: found 'label', expected another name: the label's columns are"),
        (Spine, SPINE | {"prediction_time": None}, "prediction_time: found None, expected a column of the source"),
        (Spine, SPINE | {"active_within": "7d"}, "active_within: found '7d', expected none for kind=scheduled"),
        (Spine, SPINE | {"kind": ACTIVE}, "prediction_time: found 'at', expected none: it is the cutoff"),
        (Spine, SPINE | {"kind": ACTIVE, "prediction_time": None}, "active_within: found None, expected a duration"),
        (
            Spine,
            SPINE | {"kind": ACTIVE, "prediction_time": None, "active_within": "0d"},
            "active_within: found '0d', expected a duration longer than 0",
        ),
        (Spine, SPINE | {"derived": {"a b": "1"}}, "derived: found 'a b', expected an identifier"),
        (Spine, SPINE | {"derived": {"k": "1"}}, "derived: found 'k', expected a name that is not in the key"),
        (
            Spine,
            SPINE | {"sample": Sample(SampleBy.STRATUM, "site", maximum=1)},
            "sample.column: found 'site', expected one of the spine's columns ['k']",
        ),
        (Spine, SPINE | {"weekdays": []}, "weekdays: found [], expected each day of the week at most once, and at lea"),
        (Spine, SPINE | {"weekdays": [Weekday.MONDAY] * 2}, "weekdays: found ['monday', 'monday'], expected each day"),
        (Sample, {"by": DAY}, "fraction: found None, expected either a fraction or a maximum; maximum is"),
        (Sample, {"by": DAY, "fraction": 0.1, "maximum": 1}, "fraction: found 0.1, expected either a fraction or a"),
        (Sample, {"maximum": 1}, "fraction: found None, expected none without by; maximum is 1"),
        (Sample, {"by": DAY, "fraction": 0.0}, "fraction: found 0.0, expected more than 0"),
        (Sample, {"by": DAY, "fraction": 0.1, "until": "2024"}, "until: run date '2024': expected the form YYYY-MM-DD"),
        (Sample, {"until": "2024-03-31"}, "until: found '2024-03-31', expected none without by"),
        (Sample, {"by": DAY, "maximum": 0}, "maximum: found 0, expected at least 1"),
        (Sample, {"by": DAY, "column": "x", "maximum": 1}, "column: found 'x', expected a column of the spine for by="),
        (Sample, {"by": SampleBy.STRATUM, "maximum": 1}, "column: found None, expected a column of the spine for by="),
        (Sample, {"by": DAY, "fraction": 0.5, "fractions": {"a": 1.0}}, "fractions: found {'a': 1.0}, expected none"),
        (
            Sample,
            {"by": SampleBy.STRATUM, "column": "x", "fraction": 0.5, "fractions": {"a": 1.5}},
            "fractions.a: found 1.5, expected at most 1",
        ),
    ],
)
def test_a_value_out_of_range_is_refused_with_its_field_and_what_was_expected(kind, values, message):
    with pytest.raises(ValueError) as refused:  # noqa: PT011  (the whole beginning is compared)
        kind(**values)
    assert message in str(refused.value)


@pytest.mark.parametrize(
    ("feature", "message"),
    [
        (Feature(WINDOW, "x", aggregate=MEAN), "windows: found [], expected at least one"),
        (Feature(WINDOW, "x", windows=["7d"]), "aggregate: found None, expected one of [count, sum"),
        (
            Feature(WINDOW, "x", aggregate=MEAN, windows=["7d"], lookback="7d"),
            "lookback: found '7d', expected none: a window has its own length",
        ),
        (Feature(LATEST, "x", windows=["7d"]), "windows: found ['7d'], expected none for kind=latest"),
        (Feature(LATEST, "x", aggregate=MEAN), "aggregate: found 'mean', expected none for kind="),
    ],
)
def test_a_feature_that_does_not_fit_its_kind_is_refused_with_its_column_and_source(feature, message):
    with pytest.raises(ValueError) as refused:  # noqa: PT011
        FeatureGroup("visits", {"machine": "machine"}, {"f": feature})
    assert str(refused.value).startswith(f"features.f.{message}")
    assert str(refused.value).endswith("; it is about column x of source visits")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": "Machines"}, "name: found 'Machines', expected a lower-case identifier"),
        ({"name": "../x"}, "name: found '../x', expected a lower-case identifier"),
        ({"zone": "Europe/Pariss"}, "zone: found 'Europe/Pariss', expected an IANA time zone"),
        ({"nights": 0}, "nights: found 0, expected at least 1"),
        ({"first_date": "18.3.2024"}, "first_date: run date '18.3.2024': expected the form YYYY-MM-DD"),
        ({"history_until": "2024-03-18"}, "history_until: found '2024-03-18', expected a date after first_date="),
        ({"first_night": "2024-03-31"}, "first_night: found '2024-03-31', expected a date after history_until="),
        ({"last_date": "2024-03-31"}, "first_night: found '2024-04-01', expected at most last_date=2024-03-31"),
        (spine(source="plan"), "spine.source: found 'plan', expected one of the sources ['outcomes', 'readings'"),
        (spine(features=["seats"]), "spine: found 'seats', expected one of the source's stored columns"),
        (spine(prediction_time="at"), "spine: found 'at', expected one of the source's stored columns"),
        (
            {"label": replace(PROJECT.label, task=Task.REGRESSION), "costs": Costs(5, 1)},
            "costs.missed: found 5.0, expected none for label.task=regression",
        ),
        (
            {"promotion": Promotion(slices=Slices(["seats"]))},
            "promotion.slices.columns: found 'seats', expected one of the feature table's columns",
        ),
        (
            {"label": replace(PROJECT.label, task=Task.REGRESSION), "promotion": Promotion(calibration_error=0.1)},
            "promotion.calibration_error: found 0.1, expected none for label.task=regression",
        ),
        ({"costs": Costs(Amount("worth"), 1)}, "costs.missed.column: found 'worth', expected one of the feature table"),
        (
            {"tiers": {"act": Tier(TierKind.COST)}},
            "tiers.act.kind: found 'cost', expected another kind, or project.cos",
        ),
        (
            {"costs": Costs(5, 1), "tiers": {"act": Tier(TierKind.AMOUNT)}},
            "tiers.act.kind: found 'amount', expected another kind, or project.costs with an amount of each row",
        ),
        (
            {"tiers": {"look": TOP}, "serving": Serving(abstention=Abstention(tier="look"))},
            "serving.abstention.tier: found 'look', expected a name, or a tier without a capacity: any number",
        ),
        (
            {"tiers": {"look": TOP}, "serving": Serving(fallback=replace(RULE_ALONE, tier="look"))},
            "serving.fallback.tier: found 'look', expected a name, or a tier without a capacity: any number",
        ),
        (
            {"tiers": {"act": TOP}, "fairness": GroupFairness(mitigation=OF_GROUPS, allow_as_feature=["site"])},
            "tiers.act.kind: found 'top', expected a fitted kind (cost, recall, precision, capacity) where groups",
        ),
        (
            {
                "label": replace(PROJECT.label, task=Task.REGRESSION),
                "serving": Serving(abstention=Abstention(error=0.1)),
            },
            "serving.abstention.error: found 0.1, expected none for label.task=regression",
        ),
        (
            {"label": replace(PROJECT.label, task=Task.REGRESSION), "tiers": {"act": Tier(TierKind.CAPACITY, None, 5)}},
            "tiers: found ['act'], expected none for label.task=regression",
        ),
        ({"label": replace(PROJECT.label, source="ends")}, "label.source: found 'ends', expected one of the sources"),
        ({"label": replace(PROJECT.label, column="broke")}, "label: found 'broke', expected one of the stored columns"),
        ({"label": replace(PROJECT.label, keys={"machine": "id"})}, "label.keys: found 'id', expected one of the"),
        ({"label": replace(PROJECT.label, keys={"day": "machine"})}, "label.keys: found 'day', expected one of the"),
        (
            {"label": replace(PROJECT.label, task=Task.RANKING, query=["site", "seats"])},
            "label.query: found 'seats', expected one of the feature table's columns ['built', 'load', 'machine'",
        ),
        (
            {"label": replace(PROJECT.label, annotators=Annotators("who"))},
            "label: found 'who', expected one of the stored columns of source outcomes",
        ),
        (spine(derived={"run_date": "1"}), "spine: found 'run_date', expected another name: this column is made"),
        (expression("a b"), "expressions: found 'a b', expected an identifier"),
        (
            expression("load"),
            "expressions.load: found 'load', expected another name: this column is made already by sp",
        ),
        (expression("temperature__last"), "expressions.temperature__last: found 'temperature__last', expected another"),
        (expression("temperature__known_at"), "expressions.temperature__known_at: found 'temperature__known_at'"),
        (expression("prediction_time"), "expressions.prediction_time: found 'prediction_time', expected another name"),
        (group(features={"event_time": Feature(LATEST, "temperature")}), "features.g: found 'g__event_time', expected"),
        (
            group(features={"mean": TWICE, "mean_1d": Feature(LATEST, "temperature")}),
            "features.g: found 'g__mean_1d', expected another name: this column is made already by features.g",
        ),
        (group(source="weather", **LAST_T), "features.g.source: found 'weather', expected one of the sources"),
        (group(**LAST_X), "features.g: found 'x', expected one of the stored columns of source readings"),
        (group(keys={"shop": "machine"}, **LAST_T), "features.g.keys: found 'shop', expected one of the spine's"),
    ],
)
def test_a_project_refuses_dates_zones_and_names_that_do_not_fit(changes, message):
    """Dates come in order, the zone exists, and every name that is used is declared."""
    with pytest.raises(ValueError) as refused:  # noqa: PT011
        replace(PROJECT, **changes)
    assert str(refused.value).startswith(message)


@pytest.mark.parametrize(
    ("run_date", "message"),
    [
        (None, "run_date: found None, expected a date, such as run_date=2024-04-01"),
        ("yesterday", "run_date: run date 'yesterday': expected the form YYYY-MM-DD"),
        ("2024-02-30", "run_date: run date '2024-02-30': day is out of range for month"),
        ("2024-03-17", "run_date: found '2024-03-17', expected a date inside the project's data, 2024-03-18 to 2024"),
        ("2024-04-05", "run_date: found '2024-04-05', expected a date inside the project's data"),
    ],
)
def test_a_job_needs_a_run_date_inside_the_projects_dates(run_date, message):
    with pytest.raises(ValueError) as refused:  # noqa: PT011
        Job(Environment(), PROJECT, run_date)
    assert str(refused.value).startswith(message)


def test_both_ends_of_the_projects_dates_are_inside_and_without_a_last_date_it_is_open():
    assert Job(Environment(), PROJECT, "2024-03-18").run_date == "2024-03-18"
    assert Job(Environment(), PROJECT, "2024-04-04").run_date == "2024-04-04"
    assert Job(Environment(), replace(PROJECT, last_date=None), "2099-01-01").run_date == "2099-01-01"


def test_a_range_of_features_ends_at_the_run_date():
    assert BuildFeatures(Environment(), PROJECT, "2024-04-01", since="2024-04-01").since == "2024-04-01"
    with pytest.raises(ValueError, match="since: found '2024-04-02', expected a date at or before run_date=2024-04-01"):
        BuildFeatures(Environment(), PROJECT, "2024-04-01", since="2024-04-02")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"action": Action.APPROVE}, "reason: found None, expected why, as a text, for action=approve"),
        ({"action": Action.ROLLBACK, "reason": " "}, "reason: found ' ', expected why"),
        ({"action": Action.REJECT, "reason": "x", "by": ""}, "by: found '', expected a name, or none"),
        ({"reason": "x"}, "reason: found 'x', expected none for action=decide"),
        ({"version": 3}, "version: found 3, expected none for action=decide"),
    ],
)
def test_a_person_who_promotes_gives_a_reason_and_nobody_else_does(given, message):
    assert Promote(Environment(), PROJECT, "2024-04-01", Action.APPROVE, reason="a pilot").by is None
    with pytest.raises(ValueError, match=message):
        Promote(Environment(), PROJECT, "2024-04-01", **given)


def test_a_nightly_takes_one_run_date_or_the_projects_own_dates_not_both_and_not_itself():
    search = builders.search()
    assert Nightly(Environment(), PROJECT, None, search=search, project_dates=True).run_date is None
    with pytest.raises(ValueError, match="run_date: found None"):
        Nightly(Environment(), PROJECT, None, search=search)
    with pytest.raises(ValueError, match="expected none together with project_dates=true"):
        Nightly(Environment(), PROJECT, "2024-04-01", search=search, project_dates=True)
    with pytest.raises(
        ValueError, match=r"project\.nights: found 5, expected as many as there are from first_night=2024"
    ):
        Nightly(Environment(), replace(PROJECT, nights=5), None, search=search, project_dates=True)
    with pytest.raises(ValueError, match="only: found 'nightly', expected one of the steps of the night"):
        Nightly(Environment(), PROJECT, "2024-04-01", search=search, only=["nightly"])
    with pytest.raises(ValueError, match=r"only: found .*'score'.*, expected none together with from_step or force"):
        Nightly(Environment(), PROJECT, "2024-04-01", search=search, only=["score"], from_step="monitor")


def test_a_nightly_takes_a_range_of_dates_inside_the_projects_data():
    search = builders.search()
    nights = Nightly(Environment(), PROJECT, "2024-03-30..2024-04-01", search=search).nights()
    assert [str(night) for night in nights] == ["2024-03-30", "2024-03-31", "2024-04-01"]
    for dates, message in {
        "2024-04-01..2024-03-31": "expected the first date, two dots and a later one",
        "2024-04-01..": "expected the first date, two dots and a later one",
        "2024-04-01...2024-04-02": "YYYY-MM-DD",
        "2024-04-03..2024-04-05": "expected a date inside the project's data, 2024-03-18 to 2024-04-04",
    }.items():
        with pytest.raises(ValueError, match=message):
            Nightly(Environment(), PROJECT, dates, search=search)
    with pytest.raises(ValueError, match="YYYY-MM-DD"):
        BuildFeatures(Environment(), PROJECT, "2024-03-30..2024-04-01")


def test_features_are_named_by_group_label_and_window():
    """24 hours and a day are two windows, as they are where clocks change."""
    both = Feature(WINDOW, "temperature", aggregate=MEAN, windows=["24h", "1d", "90m"])
    made = replace(PROJECT, features={"t": FeatureGroup("readings", {"machine": "machine"}, {"mean": both})})
    assert isinstance(made, Project)
    assert made.feature_names() == ["load", "built", "site", "t__mean_24h", "t__mean_1d", "t__mean_90m"]


def test_spark_may_be_told_how_fast_to_be_and_where_things_lie():
    told = {
        "spark.sql.adaptive.enabled": "true",
        "spark.sql.files.maxPartitionBytes": "64m",
        "spark.hadoop.fs.s3.impl": "x",
    }
    assert Environment(spark=told).spark == told
