import gzip
import json
import re
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest
import referencing

from nightjar.errors import ModelError
from nightjar.report import markdown
from nightjar.report import night as report
from nightjar.report.card import cyclonedx, groups, writing
from nightjar.report.card.limits import limits
from nightjar.report.card.records import read_records
from nightjar.report.reading import open_tables
from nightjar.settings.model_card import ModelCard
from report import cards, nights
from report.page import Page

SCHEMAS = Path(__file__).parent / "cyclonedx"
HTML, MARKDOWN, JSON = "card-3.html", "card-3.md", "card-3.cdx.json"


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory):
    """Version 2 was champion; version 3 was refused by its evidence, then approved, then rolled back from."""
    warehouse = nights.warehouse_in(tmp_path_factory.mktemp("cards"))
    cards.store_training(warehouse, "2")
    cards.store_event(warehouse, "promoted", "2", cards.TRAINED, cards.EVIDENCE, alias="champion")
    cards.store_training(warehouse, "3", evidence=cards.MEASURED)
    refused = cards.MEASURED | {"reason": "A person decides.", "outcomes": cards.GATES}
    cards.store_event(warehouse, "refused", "3", cards.TRAINED, refused, alias="champion", hour=3)
    cards.store_event(
        warehouse, "promoted", "3", cards.TRAINED, cards.approved(cards.MEASURED), alias="champion", hour=4
    )
    nights.store_performance(warehouse)
    return warehouse


def records(warehouse, number="3", manifest=cards.MANIFEST, project=None, **more):
    return read_records(open_tables(warehouse, nights.NIGHT), project or cards.project(), number, manifest, **more)


def written(warehouse, **more):
    return writing.files(records(warehouse, **more), str)


def test_the_page_says_what_is_on_record(warehouse):
    page = Page(written(warehouse)[HTML])

    assert page.table("Measured on 2013-09-02 to 2013-09-29")[0] == {
        "Measure": "ROC AUC",
        "boosting-1": "0.683 0.661 to 0.704",
        "majority (baseline)": "0.500 0.500 to 0.500",
        "hour_of_day (baseline)": "0.612 0.594 to 0.629",
    }
    against = {row["Other model"]: row["Difference"] for row in page.table("Its ROC AUC minus")}
    assert against["champion version 2 (logistic)"] == "+0.011 +0.002 to +0.020 (99.17%)"
    assert [row["Decision"] for row in page.table("Decisions")] == [
        "promoted recorded 2013-10-01 04:00 UTC",
        "▲ refused recorded 2013-10-01 03:00 UTC",
    ]
    assert page.table("Decisions")[0]["By"] == "ops for the flight board"
    assert page.table("What the gates said")[1]["Verdict"] == "▲ a person decides"
    meanings = {row["Feature"]: (row["Type"], row["Meaning"], row["Source"]) for row in page.table("Features in")}
    assert meanings["route__late_rate_7d"] == ("number", "rate of late of the same flight in the 7d before", "schedule")
    assert meanings["departure_hour"] == ("number", "computed: hour(at)", "schedule")
    assert "It is champion from run date 2013-09-30 on, and expires on 2014-03-30." in page.text
    assert "10 min 12 s" in page.text
    assert "1,234 MiB" in page.text
    assert "Not for the pay of a crew" in page.text
    assert "Contact not stated" in page.text


def test_a_difference_whose_interval_begins_at_zero_has_its_interval(warehouse):
    card = records(warehouse)
    difference = {"difference": card.evidence["difference"] | {"low": 0.0}}

    shown = writing.document(replace(card, evidence=card.evidence | difference))

    assert [one.detail for one in shown.facts if one.label.startswith("against")] == ["interval +0.000 to +0.090"]


def test_slices_groups_and_importance_are_shown_or_their_absence_is_said(warehouse):
    page, bare = Page(written(warehouse)[HTML]), Page(written(warehouse, number="2")["card-2.html"])

    rows = {row["Slice"]: row for row in page.table("Slices on the final period")}
    assert rows["origin is <LGA> and departure_hour >= 17"]["Difference"] == "+0.115 +0.071 to +0.159"
    assert rows["carrier is HA"]["Difference"] == "–"
    assert [row["Columns"] for row in page.table("What ROC AUC loses")][:2] == ["departure_hour", "route__late_rate_7d"]
    of_sex = {row["Group"]: row for row in page.table("Groups of sex:")}
    assert of_sex["F"]["Selection rate"] == "▲ 0.347 -0.069 (-0.134 to -0.004)"
    assert (of_sex["X"]["Selection rate"], of_sex["X"]["Recall"]) == ("0.000 -0.382 (no interval)", "–")
    assert bare.text.count("Not measured by the training of this version") == 3
    assert "declared no groups" not in bare.text
    assert "Not measured: what the figures are by slices and by groups and by features." in bare.text


def test_of_several_classes_the_groups_that_a_gate_compares_are_shown():
    pair = {"column": "sex", "rate": "recall", "class": "late", "groups": ["F", "M"], "rates": [0.31, None]}
    compared = {"estimate": -0.2, "low": -0.3, "high": -0.1, "rows": 900, "reason": None, "size": 420}
    few = {"estimate": None, "low": None, "high": None, "rows": 0, "reason": "a group has no such rows", "size": 0}
    evidence = {"gates": {"confidence": 0.975, "fairness": [pair | compared, pair | few]}}

    (table, note) = groups.fairness(evidence)

    first, second = table.rows
    assert [cell.text for cell in first] == ["sex: F and M", "late", "Recall", "-0.200", "420"]
    assert (first[2].detail, first[3].detail) == ("31.0%, undefined", "-0.300 to -0.100 (97.5%)")
    assert second[3].why == "a group has no such rows"
    assert "not a verdict" in note.text


def test_thresholds_by_group_and_what_mitigates_are_on_each_form_of_the_card(warehouse):
    own = [{"values": ["F"], "threshold": 0.61}, {"values": [None], "threshold": 1.1}]
    by_group = {"columns": ["sex"], "groups": own, "unseen": 0.71}
    first, *others = nights.THRESHOLDS
    card = records(warehouse)
    evidence = card.evidence | {
        "thresholds": [first | {"by_group": by_group}, *others],
        "mitigation": nights.MITIGATION,
    }
    card = replace(card, evidence=evidence)

    files = writing.files(card, str)

    page = Page(files[HTML])
    assert [tuple(row.values()) for row in page.table("Thresholds of groups")] == [
        ("act", "sex: F", "0.610"),
        ("act", "sex: null", "acts on none"),
        ("act", "sex: any other", "0.710"),
    ]
    assert [row["Tier"] for row in page.table("What the tiers reach")] == ["act all rows together", "review"]
    thresholds, reweighing, reduction = page.table("What treats groups more alike")
    assert thresholds == {
        "Kind": "thresholds in use",
        "Goal": "demographic parity by sex",
        "Without it": "F -0.131 (-0.151 to -0.111); M +0.131 (+0.111 to +0.151); X +0.100 (no interval)",
        "With it": "F -0.004 (-0.024 to +0.016); M +0.004 (-0.016 to +0.024); X +0.100 (no interval)",
        "Price": "Recall -0.012 (-0.020 to -0.004); Precision -0.021 (-0.030 to -0.012)",
    }
    assert (reweighing["Kind"], reduction["Without it"]) == ("reweighing beside it", "–")
    assert "Decisions depend on sex: the tiers have thresholds by group." in limits(card)
    assert "Decisions depend on sex" in files[MARKDOWN]
    model = json.loads(files[JSON])["metadata"]["component"]["modelCard"]
    properties = {one["name"]: one["value"] for one in model["properties"]}
    assert properties["nightjar:threshold:act:sex: F"] == "0.61"
    assert properties["nightjar:mitigation"] == "thresholds: demographic parity by sex"
    assert (
        "Decisions depend on sex: the tiers have thresholds by group."
        in model["considerations"]["technicalLimitations"]
    )


def test_limits_come_from_the_records(warehouse):
    card = records(warehouse)
    few = {"entities": 1_500, "blocks": 2, "block_days": 14}
    of_few = replace(card, evidence=card.evidence | {"clusters": few, "acted_on": 0.31}, definitions_differ=True)

    said = " ".join(limits(of_few))

    assert "2 blocks of 14 days, and fewer than 3 say nothing of other periods" in said
    assert "31.0% of the known labels are of rows that somebody has acted on" in said
    assert "2.4% of the known labels are null" in said
    assert "Of 880 rows of the final period that it would act on, 31 (3.5%) have no outcome" in said
    assert "1 of these 28 days there is no labelled row" in said
    assert "jobs/x" not in said
    assert "less than a year" in said
    assert "have been edited since" in said
    assert "Known of source schedule: cancelled <flights>." in said
    assert "what the figures are by" not in said
    assert "Decisions depend" not in said
    of_gates = {"fairness": [], "gates": {"fairness": [{"column": "sex"}]}}
    assert "what the figures are by" not in " ".join(limits(replace(card, evidence=card.evidence | of_gates)))
    assert "are taken for missing, and marked in each score" in said
    encoded = replace(cards.MANIFEST, structure={"estimator": {"skops": "estimator.skops"}, "members": []})
    of_encoded = " ".join(limits(replace(card, manifest=encoded)))
    assert "scored as its preparation treats unknown levels, without a mark" in of_encoded
    assert "taken for missing" not in of_encoded
    long = replace(cards.MANIFEST, period=("2012-01-01", "2013-09-26"))
    assert "less than a year" not in " ".join(limits(replace(card, manifest=long)))


def test_a_version_without_a_readable_manifest_has_a_card_that_says_so(warehouse):
    page = Page(written(warehouse, manifest=None, absence="it is signed by another key")[HTML])

    assert "could not be read: it is signed by another key" in page.text
    assert page.table("Features in")[0]["Type"] == "–"


def test_a_version_that_is_not_registered_has_no_card(warehouse):
    with pytest.raises(ModelError, match=r"Version 9 of flights is not registered: table model_events has 2, 3"):
        records(warehouse, number="9")


def test_the_page_needs_nothing_from_outside(warehouse):
    html = written(warehouse)[HTML]
    page = Page(html)

    assert not {"script", "img", "link", "iframe", "object"} & {tag for tag, _ in page.tags}
    assert all("style" not in attributes for _, attributes in page.tags)  # the policy would drop them
    assert not re.search(r"https?://|url\(|@import", html)
    addresses = {attributes["href"] for _, attributes in page.tags if "href" in attributes}
    assert {one for one in addresses if not one.startswith("#")} == {MARKDOWN, JSON}
    anchors = {attributes["id"] for _, attributes in page.tags if "id" in attributes}
    assert {one[1:] for one in addresses if one.startswith("#")} <= anchors


def test_markdown_has_the_same_sections_and_nothing_that_it_takes_for_markup(warehouse):
    files = written(warehouse)
    headings = re.findall(r"^## (.*)$", files[MARKDOWN], re.MULTILINE)

    assert headings == re.findall(r'<h2 id="[a-z]+-title">(.*?)</h2>', files[HTML])
    assert "origin is &lt;LGA&gt; and departure_hour &gt;= 17" in files[MARKDOWN]
    assert "\n- **Not for**: the pay of a crew; flights &lt;elsewhere&gt;\n" in files[MARKDOWN]
    rows = [line for line in files[MARKDOWN].splitlines() if line.startswith("|")]
    assert all(line.endswith("|") for line in rows)
    assert markdown.escape("1. a|b *c* `d` # e\nf") == r"\1. a\|b \*c\* \`d\` # e f"


@pytest.fixture(scope="module")
def validator():
    """Of the schema of CycloneDX 1.7, with those that it refers to."""
    stored = {
        path.name.removesuffix(".gz"): json.loads(gzip.decompress(path.read_bytes())) for path in SCHEMAS.glob("*.gz")
    }
    named = {f"{name.removesuffix('.schema.json')}.SNAPSHOT.schema.json": one for name, one in stored.items()}
    resources = [(name, referencing.Resource.from_contents(one)) for name, one in named.items()]
    bom = named["bom-1.7.SNAPSHOT.schema.json"]
    beside = [(f"{bom['$id'].rpartition('/')[0]}/{name}", one) for name, one in resources]
    return jsonschema.Draft7Validator(bom, registry=referencing.Registry().with_resources([*resources, *beside]))


@pytest.mark.parametrize("number", ["2", "3"])
def test_the_json_is_a_bill_of_materials_of_cyclonedx(warehouse, validator, number):
    project = replace(cards.project(), card=ModelCard("ops", "ops@example.org", "p", ["u"], ["o"], ["harm"]))
    bill = cyclonedx.bill_of_materials(records(warehouse, number=number, project=project))

    assert [error.message for error in validator.iter_errors(bill)] == []
    assert not validator.is_valid(bill | {"dependencies": [{"depends": 1}]})
    card = bill["metadata"]["component"]["modelCard"]
    assert card["quantitativeAnalysis"]["performanceMetrics"][0] == {
        "type": "roc_auc",
        "value": "0.683",
        "confidenceInterval": {"lowerBound": "0.661", "upperBound": "0.704"},
    }
    assert card["considerations"]["users"] == ["u"]
    refs = {one["bom-ref"] for one in bill["components"]}
    assert set(bill["dependencies"][0]["dependsOn"]) == refs
    assert {one["ref"] for one in card["modelParameters"]["datasets"]} <= refs


def test_secrets_are_on_none_of_the_forms(warehouse):
    project = replace(cards.project(), title="a hunter2 of flights")
    texts = writing.files(records(warehouse, project=project), lambda text: text.replace("hunter2", "***"))

    assert not any("hunter2" in text for text in texts.values())


def test_the_report_of_a_night_links_to_the_card_of_its_champion_once_it_is_there(warehouse):
    def links():
        page = Page(Path(report.write(warehouse, cards.project(), nights.NIGHT)).read_text(encoding="utf-8"))
        return [attributes["href"] for _, attributes in page.tags if not attributes.get("href", "#").startswith("#")]

    before = links()
    writing.write(warehouse, written(warehouse))

    assert set(links()) - set(before) == {HTML}
    assert HTML not in before
