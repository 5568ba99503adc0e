"""Every kind of page in a browser: as wide as a phone and a laptop, light and dark, and judged by axe-core."""

import gzip
import html
import json
import re
import subprocess
import tempfile
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

import builders
import chromium
from nightjar.explanation.counterfactuals import Counterfactual
from nightjar.explanation.of_row import Effect, RowExplanation
from nightjar.explanation.surrogates import LocalSurrogate
from nightjar.profiling.stored.changes import changes
from nightjar.profiling.stored.page import render
from nightjar.profiling.stored.profile import Range, profile_source
from nightjar.report import index, page
from nightjar.report import night as report
from nightjar.report.card import writing
from nightjar.report.card.records import read_records
from nightjar.report.catalogue import page as catalogue_page
from nightjar.report.catalogue.contents import read_catalogue
from nightjar.report.comparison.page import document
from nightjar.report.comparison.trainings import read_trainings
from nightjar.report.explanation import row as explained_row
from nightjar.report.reading import open_tables
from nightjar.settings.datasheet import Datasheet
from nightjar.settings.serving.reviewing import Reviewing
from nightjar.settings.serving.serving import Serving
from nightjar.settings.tiers import Tier, TierKind
from nightjar.tables.warehouse import Warehouse
from profiling.stored.tables import hours, store
from report import cards, catalogues, nights, watching
from review import loans

pytestmark = pytest.mark.starts_processes
AXE = Path(__file__).parent / "axe" / "axe.min.js.gz"
OPTIONS = [
    *chromium.OPTIONS,
    "--allow-file-access-from-files",
    "--virtual-time-budget=30000",
    "--enable-logging=stderr",
    "--dump-dom",
]
SCHEMES = {"light": 1, "dark": 0}
WIDTHS = (390, 1280)
LONG = "a_very_long_name_" * 4
TIER = LONG[:63]
# The pages allow no scripts but their own, so a page around them measures them; axe judges copies without their policy.
AROUND = """<!doctype html><title>around</title><body>{frames}<pre id="seen"></pre><script>
const measured = frame => {{
  const page = frame.contentDocument, root = page.documentElement, closed = root.scrollWidth;
  page.querySelectorAll("details").forEach(details => details.open = true);
  const style = frame.contentWindow.getComputedStyle(page.body);
  return {{name: frame.name, width: frame.clientWidth, closed, open: root.scrollWidth, margin: style.marginTop,
          dark: frame.contentWindow.matchMedia("(prefers-color-scheme: dark)").matches,
          requests: frame.contentWindow.performance.getEntriesByType("resource").map(one => one.name)}};
}};
const judged = async frame => {{
  const found = await frame.contentWindow.axe.run(frame.contentDocument, {{resultTypes: ["violations"]}});
  return {{name: frame.name, violations: found.violations.map(
    one => [one.id, one.impact, one.nodes[0].target.join(" "), one.nodes[0].failureSummary])}};
}};
onload = async () => {{
  const frames = [...document.querySelectorAll("iframe")], seen = {{measured: [], judged: []}};
  for (const frame of frames) {{
    if (frame.contentWindow.axe) seen.judged.push(await judged(frame)); else seen.measured.push(measured(frame));
  }}
  document.getElementById("seen").textContent = JSON.stringify(seen);
}};
</script></body>"""


def full_night(folder):
    warehouse = Warehouse(str(folder / "full"), "flights")
    watching.watched_night(warehouse)
    long = ("upstream", LONG, "act", f"It is {LONG}.", f"python jobs/ingest.py project={LONG}", 400)
    watching.store_signals(warehouse, [long])
    nights.store_drift(warehouse, "a_feature_with" + LONG, {"psi": 0.5, "ks": 0.2, "ks_p_value": 0.0})
    nights.store_scores(warehouse, [0.7, 0.8], nights.NIGHT - timedelta(days=3), tier=TIER)
    tiers = {TIER: Tier(TierKind.TOP, at_most=2)}
    serving = Serving(review=Reviewing(decisions=loans.REVIEW.decisions, tiers=[TIER]))
    reviewed = replace(nights.project(), tiers=tiers, serving=serving)
    return Path(report.write(warehouse, reviewed, nights.NIGHT)).read_text(encoding="utf-8")


def all_nights(folder):
    """The index of the nights of `full_night`."""
    path = Warehouse(str(folder / "full"), "flights").path("reports/index.html")
    return Path(path).read_text(encoding="utf-8")


def all_projects(folder):
    return Path(index.write_overview(str(folder / "full"))).read_text(encoding="utf-8")


def several_classes(folder):
    warehouse = Warehouse(str(folder / "classes"), "flights")
    project = nights.project_of_classes({f"c{n}": f"{n} {'a class with a long name ' * 4}" for n in range(20)})
    nights.night_of_classes(warehouse, project.label.classes, dates=2)
    return Path(report.write(warehouse, project, nights.NIGHT)).read_text(encoding="utf-8")


def no_tables(folder):
    path = report.write(Warehouse(str(folder / "none"), "flights"), nights.project(), nights.NIGHT)
    return Path(path).read_text(encoding="utf-8")


def explanation(folder):
    """Of a row."""
    effects = [Effect(LONG, LONG, 0.5, 0.1), Effect("x", None, -0.2, 0.1)]
    surrogate, others = LocalSurrogate((LONG, "x"), (0.1, 0.2), 0.9), [Counterfactual({LONG: LONG}, 0.7, 1.0)]
    explained = RowExplanation(0.4, None, 0.1, "log-odds", effects, surrogate, 0.5, others, 30)
    about = {"project": LONG, "run_date": nights.NIGHT, "model": LONG, "key": {LONG: LONG}, "stored_score": 0.4}
    return page.render(explained_row.document(explained, **about))


def stored_facts(folder):
    warehouse = Warehouse(str(folder / "warehouse"), "machines")
    warehouse.check_writable()
    texts = np.where(np.arange(504) < 400, LONG * 3, None)
    store(warehouse, {"event_time": hours(504), LONG: (pa.string(), texts), "x": (pa.float64(), np.arange(504) * 1e5)})
    profile = profile_source(warehouse, builders.machines(folder), "readings", Range())
    return render(profile, changes(profile.columns, profile.periods), Datasheet(origin=LONG * 3), LONG)


def trainings(folder):
    """Three trainings, the last of them with everything on record."""
    warehouse = Warehouse(str(folder / "trainings"), "flights")
    for number in "12":
        cards.store_training(warehouse, number, hour=int(number))
    cards.store_training(warehouse, "3", evidence=cards.MEASURED, hour=3)
    approved = cards.approved(cards.MEASURED, f"seen by the board, {LONG}")
    cards.store_event(warehouse, "promoted", "3", cards.TRAINED, approved, alias="champion", hour=4)
    nights.store_performance(warehouse)
    return open_tables(warehouse, date.max)


def card(folder):
    records = read_records(trainings(folder / "card"), cards.project(), "3", cards.MANIFEST)
    return writing.files(records, str)["card-3.html"]


def bare_card(folder):
    records = read_records(trainings(folder / "bare"), nights.project(), "1", None, f"there is none {LONG}")
    return writing.files(records, str)["card-1.html"]


def comparison(folder):
    compared = read_trainings(trainings(folder / "compared"))
    return page.render(document(cards.project(), compared, cards.pairs(), "roc_auc"))


def catalogue(folder):
    """With names that are too long for a phone."""
    warehouse, own = Warehouse(str(folder / "catalogue"), "machines"), catalogues.project()
    catalogues.store(warehouse)
    expressions = {LONG.rstrip("_"): "load * 2", "short": f"{LONG.rstrip('_')} + temperature__last"}
    sheet = Datasheet(owner=LONG, purpose=LONG * 3, gaps=[LONG * 3])
    sources = own.sources | {"readings": replace(own.sources["readings"], datasheet=sheet)}
    return catalogue_page.render(read_catalogue(warehouse, replace(own, expressions=expressions, sources=sources)))


PAGES = (
    full_night,
    all_nights,
    all_projects,
    several_classes,
    no_tables,
    stored_facts,
    card,
    bare_card,
    comparison,
    explanation,
    catalogue,
)


@dataclass(frozen=True)
class Seen:
    """What a browser says of all pages in one colour scheme."""

    measured: list[dict]
    judged: list[dict]
    console: list[str]

    def of(self, page):
        (judged,) = [one["violations"] for one in self.judged if one["name"] == page.__name__]
        return [one for one in self.measured if one["name"] == page.__name__], judged


@pytest.fixture(scope="module")
def around(tmp_path_factory):
    """A page with every page in frames, and once more for axe."""
    folder = tmp_path_factory.mktemp("pages")
    axe, frames = gzip.decompress(AXE.read_bytes()).decode(), []
    (folder / "axe.js").write_text(axe, encoding="utf-8")
    for make in PAGES:
        text, name = make(folder), make.__name__
        judged = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", text)
        (folder / f"{name}.html").write_text(text, encoding="utf-8")
        (folder / f"{name}-judged.html").write_text(f'{judged}<script src="axe.js"></script>', encoding="utf-8")
        files = [(f"{name}.html", width) for width in WIDTHS] + [(f"{name}-judged.html", WIDTHS[0])]
        frames += [
            f'<iframe name="{name}" title="{file}" src="{file}" width={width} height=900 frameborder=0></iframe>'
            for file, width in files
        ]
    (folder / "around.html").write_text(AROUND.format(frames="".join(frames)), encoding="utf-8")
    return folder / "around.html"


@pytest.fixture(scope="module", params=SCHEMES)
def seen(request, around):
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        scheme = f"--blink-settings=preferredColorScheme={SCHEMES[request.param]}"
        command = [chromium.CHROMIUM, *OPTIONS, scheme, f"--user-data-dir={profile}", around.as_uri()]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=300, check=True)
    stored = json.loads(html.unescape(ended.stdout.split('<pre id="seen">')[1].split("</pre>")[0]))
    assert {one["dark"] for one in stored["measured"]} == {request.param == "dark"}
    return Seen(**stored, console=[line for line in ended.stderr.splitlines() if "CONSOLE" in line])


@pytest.mark.skipif(chromium.CHROMIUM is None, reason="no chromium on PATH: pages cannot be looked at")
@pytest.mark.parametrize("page", PAGES, ids=lambda one: one.__name__)
def test_a_page_fits_asks_nobody_for_anything_and_is_accessible(seen, page):
    """At 390 and 1280 px, with all details closed and open; the style must have passed the page's own policy."""
    measured, violations = seen.of(page)

    assert [frame["width"] for frame in measured] == list(WIDTHS)
    assert all(frame["closed"] <= frame["width"] and frame["open"] <= frame["width"] for frame in measured)
    assert {frame["margin"] for frame in measured} == {"0px"}
    assert [frame["requests"] for frame in measured] == [[], []]
    assert [one for one in violations if one[1] in ("serious", "critical")] == []
    assert seen.console == []


@pytest.mark.skipif(chromium.CHROMIUM is None, reason="no chromium on PATH: pages cannot be looked at")
def test_tables_sort_and_filter_and_the_theme_is_chosen(around):
    """By the page's own script under its own policy, as people would: with the keyboard, too."""
    with chromium.started() as browser:
        tab = browser.tab()
        tab.go((around.parent / "full_night.html").as_uri())
        table = "[...document.querySelectorAll('#drift table')][0]"
        names = f"[...{table}.tBodies[0].rows].filter(row => !row.hidden).map(row => row.cells[0].innerText)"
        head = f"[...{table}.querySelectorAll('.sort')].find(one => one.innerText.startsWith('PSI'))"
        psi = f"[...{table}.tBodies[0].rows].map(row => parseFloat(row.cells[6].innerText)).filter(one => one === one)"

        tab.run(f"{head}.focus()")
        tab.press("Enter")
        falling = tab.run(psi)
        assert falling == sorted(falling, reverse=True)
        assert tab.run(f"{head}.closest('th').getAttribute('aria-sort')") == "descending"
        tab.press("Enter")
        assert tab.run(psi) == falling[::-1]

        field = "document.querySelector('#drift .filter input')"
        tab.run(f"{field}.focus()")
        tab.write("ROUTE")
        shown = tab.run(names)
        assert shown
        assert all("route" in name for name in shown)
        assert tab.run("document.querySelector('#drift .filter .note').innerText.trim()") == f"{len(shown)} of 15"

        colour = "getComputedStyle(document.body).backgroundColor"
        light = tab.run(colour)
        for scheme, is_light in (("light", True), ("dark", False), ("auto", True)):
            tab.click(".theme", loads=False)
            assert tab.run("document.querySelector('.theme').innerText") == f"Theme: {scheme}"
            assert (tab.run(colour) == light) is is_light
        tab.look(390, 844, "dark")
        assert tab.run(colour) != light
        assert tab.console() == []
