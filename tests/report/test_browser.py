import html
import json
import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

import builders
from nightjar.explanation.counterfactuals import Counterfactual
from nightjar.explanation.of_row import Effect, RowExplanation
from nightjar.explanation.surrogates import LocalSurrogate
from nightjar.profiling.stored.changes import changes
from nightjar.profiling.stored.page import render
from nightjar.profiling.stored.profile import Range, profile_source
from nightjar.report import night as report
from nightjar.report.explanation import row as explained_row
from nightjar.report.page import render as render_document
from nightjar.settings.datasheet import Datasheet
from profiling.stored.tables import hours, store
from report import nights

pytestmark = pytest.mark.starts_processes
CHROMIUM = next(
    (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
)
OPTIONS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--allow-file-access-from-files",
    "--virtual-time-budget=10000",
    "--dump-dom",
]
# The page allows no scripts, so a page around it measures it, in frames as wide as a phone and a laptop.
FRAMES = """<!doctype html><body>{frames}<pre id="seen"></pre><script>
onload = () => {{
  const seen = [...document.querySelectorAll("iframe")].map(frame => {{
    const page = frame.contentDocument, root = page.documentElement;
    const closed = root.scrollWidth;
    page.querySelectorAll("details").forEach(details => details.open = true);
    return {{width: frame.clientWidth, closed, open: root.scrollWidth,
            margin: frame.contentWindow.getComputedStyle(page.body).marginTop}};
  }});
  document.getElementById("seen").textContent = JSON.stringify(seen);
}};
</script></body>"""


@pytest.mark.skipif(CHROMIUM is None, reason="no chromium on PATH: the page's width cannot be measured")
@pytest.mark.parametrize("kind", ["full night", "several classes", "no tables"])
def test_the_page_never_scrolls_sideways(tmp_path, kind):
    """At 390 and 1280 px, with all details closed and open; the style must have passed the page's own policy."""
    warehouse = nights.warehouse_in(tmp_path)
    project = nights.project()
    if kind == "several classes":
        project = nights.project_of_classes({f"c{n}": f"{n} {'a class with a long name ' * 4}" for n in range(20)})
        nights.night_of_classes(warehouse, project.label.classes, dates=2)
    if kind == "full night":
        nights.full_night(warehouse)
        nights.store_drift(
            warehouse, "a_feature_with_a_very_long_name_" * 4, {"psi": 0.5, "ks": 0.2, "ks_p_value": 0.0}
        )
    require_fit(Path(report.write(warehouse, project, nights.NIGHT)), tmp_path)


@pytest.mark.skipif(CHROMIUM is None, reason="no chromium on PATH: the page's width cannot be measured")
def test_the_page_of_stored_facts_never_scrolls_sideways(tmp_path, warehouse):
    long = "a_very_long_name_" * 4
    texts = np.where(np.arange(504) < 400, long * 3, None)
    store(warehouse, {"event_time": hours(504), long: (pa.string(), texts), "x": (pa.float64(), np.arange(504) * 1e5)})
    profile = profile_source(warehouse, builders.machines(tmp_path), "readings", Range())
    page = tmp_path / "source-readings.html"
    page.write_text(
        render(profile, changes(profile.columns, profile.periods), Datasheet(origin=long * 3), long), encoding="utf-8"
    )
    require_fit(page, tmp_path)


@pytest.mark.skipif(CHROMIUM is None, reason="no chromium on PATH: the page's width cannot be measured")
def test_the_page_of_an_explanation_never_scrolls_sideways(tmp_path):
    long = "a_column_with_a_very_long_name_" * 3
    effects = [Effect(long, long, 0.5, 0.1), Effect("x", None, -0.2, 0.1)]
    surrogate = LocalSurrogate((long, "x"), (0.1, 0.2), 0.9)
    others = [Counterfactual({long: long}, 0.7, 1.0)]
    explained = RowExplanation(0.4, None, 0.1, "log-odds", effects, surrogate, 0.5, others, 30)
    about = {"project": long, "run_date": nights.NIGHT, "model": long, "key": {long: long}, "stored_score": 0.4}
    page = tmp_path / "explanation.html"
    page.write_text(render_document(explained_row.document(explained, **about)), encoding="utf-8")
    require_fit(page, tmp_path)


def require_fit(page, folder):
    """In frames as wide as a phone and a laptop."""
    frames = [
        f'<iframe src="{page.as_uri()}" width={width} height=900 frameborder=0></iframe>' for width in (390, 1280)
    ]
    around = folder / "around.html"
    around.write_text(FRAMES.format(frames="".join(frames)), encoding="utf-8")

    seen = measured(around)

    assert [frame["width"] for frame in seen] == [390, 1280]
    assert all(frame["closed"] <= frame["width"] and frame["open"] <= frame["width"] for frame in seen)
    assert {frame["margin"] for frame in seen} == {"0px"}


def measured(page: Path):
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        command = [CHROMIUM, *OPTIONS, f"--user-data-dir={profile}", page.as_uri()]
        dom = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout
    return json.loads(html.unescape(dom.split('<pre id="seen">')[1].split("</pre>")[0]))
