"""The catalogue in a browser: pictures tell what is made of what, addresses open what is folded, columns are found."""

import pytest

import chromium
from nightjar.report.catalogue import writing
from nightjar.tables.warehouse import Warehouse
from report import catalogues

pytestmark = [
    pytest.mark.starts_processes,
    pytest.mark.skipif(chromium.CHROMIUM is None, reason="no chromium on PATH: pages cannot be looked at"),
]


@pytest.fixture(scope="module")
def tab(tmp_path_factory):
    warehouse = Warehouse(str(tmp_path_factory.mktemp("browser")), "machines")
    catalogues.store(warehouse)
    path = writing.write(warehouse, catalogues.project())
    with chromium.started() as browser:
        tab = browser.tab()
        tab.go(f"file://{path}")
        yield tab
        assert tab.console() == []


def test_a_box_shows_what_it_is_made_of_and_what_is_made_of_it_by_mouse_and_keyboard(tab):
    names = """[...document.querySelectorAll('svg.tracing .node.on text')].map(one => one.textContent).sort()"""
    box = (
        "[...document.querySelectorAll('#lineage details[open] a.node')].find(one => one.textContent.includes('built'))"
    )
    tab.run(f"{box}.dispatchEvent(new PointerEvent('pointerover', {{bubbles: true}}))")
    assert tab.run(names) == ["built", "built", "year"]
    tab.run(f"{box}.closest('svg').dispatchEvent(new PointerEvent('pointerleave'))")
    assert tab.run(names) == []
    tab.run(f"{box}.focus()")
    assert "year" in tab.run(names)
    tab.run(f"{box.replace('built', 'load')}.focus()")
    assert tab.run(names) == ["load", "load", "score"]


def test_an_address_opens_what_is_folded_around_it(tab):
    is_open = "document.getElementById('features.temperature__last').closest('details').open"
    assert not tab.run(is_open)
    tab.run("location.hash = '#features.temperature__last'; new Promise(resolve => setTimeout(resolve, 100))")
    assert tab.run(is_open)


def test_columns_are_found_by_words_of_their_table_name_or_meaning(tab):
    def find(words):
        field = "document.getElementById('find-field')"
        tab.run(f"{field}.value = '{words}'; {field}.dispatchEvent(new Event('input'))")
        shown = "[...document.querySelectorAll('tr[data-column]:not(.gone) th code')].map(one => one.textContent)"
        return tab.run(shown), tab.run("document.getElementById('find-count').textContent")

    everything, _ = find("")
    rows, count = find("features mean of temperature")
    assert rows == ["temperature__mean_1d", "temperature__mean_3d"]
    assert count == "2 columns"
    assert find("no such thing at all")[0] == []
    assert find("")[0] == everything
