"""The page in a real browser, with ten thousand cases: two people at once, the keyboard alone, phones, and axe-core."""

import gzip
import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import chromium
from nightjar.review import tokens
from nightjar.review.desk import Act, Desk
from nightjar.tables.reviews import DECIDE
from nightjar.tables.warehouse import Warehouse
from review import loans
from review.serving import Client, served, token_of

pytestmark = [
    pytest.mark.starts_processes,
    pytest.mark.skipif(chromium.CHROMIUM is None, reason="no chromium on PATH: pages cannot be looked at"),
]
AXE = Path(__file__).parents[1] / "report" / "axe" / "axe.min.js.gz"
CASES = 10_000
ATTACK = "<img src=x onerror=\"document.title='stolen'\"><script>document.title='stolen'</script>"


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """Address, desk and tokens; one reason of the first case is an attack."""
    folder = tmp_path_factory.mktemp("browser")
    warehouse = Warehouse(str(folder / "warehouse"), "loans")
    warehouse.check_writable()
    project = loans.project(replace(loans.REVIEW, due="1000d"), sensitive=("age",))
    night = datetime.now(UTC).date() - timedelta(days=1)
    reason = [{"feature": "income", "value": ATTACK, "contribution": 0.5, "usual": ATTACK, "text": ATTACK}]
    loans.store(warehouse, project, cases=CASES, night=night, reasons=[reason] * 2 * CASES)
    desk = Desk(warehouse, project, "browser-1")
    desk.act([Act(desk.queue().ids[9], DECIDE, "refuse")], "ada", "root", datetime.now(UTC))
    of_tokens = tokens.folder_of(folder / "home", "loans")
    registered = {name: token_of(of_tokens, name) for name in ("ada", "ben")}
    with served(desk, of_tokens) as port:
        yield f"http://127.0.0.1:{port}", desk, registered


@pytest.fixture(scope="module")
def browser():
    with chromium.started() as running:
        yield running


def entered(browser, site, name, **look):
    """The tab of a person who types the token, and sends it by the key of a form."""
    address, _, registered = site
    tab = browser.tab(**look)
    tab.go(f"{address}/")
    assert tab.run("location.pathname") == "/enter"
    tab.write(registered[name])  # the field has the focus
    assert tab.press("Enter", loads=True) == 200
    assert tab.run("location.href") == f"{address}/"
    return tab


def violations(tab):
    """What axe-core finds."""
    tab.run(gzip.decompress(AXE.read_bytes()).decode() + "; true")
    found = tab.run("axe.run(document, {resultTypes: ['violations']}).then(found => JSON.stringify(found.violations))")
    return [(one["id"], one["nodes"][0]["html"]) for one in json.loads(found)]


def test_two_people_at_once_on_one_case_by_the_keyboard_alone(browser, site):
    """One wins, the other is told; then the one claims a case that the other cannot decide, and takes it back."""
    address, desk, _ = site
    ada, ben = (entered(browser, site, name) for name in ("ada", "ben"))
    for tab in (ada, ben):
        tab.press("j")
        tab.press("Enter", loads=True)
    name = desk.queue().ids[0]
    assert {tab.run("location.pathname") for tab in (ada, ben)} == {f"/cases/{name}"}
    for tab in (ada, ben):
        tab.press("2")
    assert ada.press("Enter", loads=True) == 200
    assert "Your decision is recorded." in ada.text()
    assert ben.press("Enter", loads=True) == 409
    assert "ada decided this case at" in ben.text('[role="alert"]')
    assert "Nothing of yours was recorded" in ben.text()
    assert [(one.reviewer, one.decision) for one in desk.ledger.read().actions(name)] == [("ada", "refuse")]

    ada.press("u", loads=True)
    assert "You took your decision back." in ada.text()
    ada.press("c", loads=True)
    assert "The case is yours" in ada.text()
    ben.go(f"{address}/cases/{name}")
    assert "Somebody else has it" in ben.text()
    assert "ada until" in ben.text()
    ada.press("1")
    assert ada.press("Enter", loads=True) == 409  # an override
    assert "Say why you decide grant" in ada.text('[role="alert"]')
    ada.press("r")
    ada.write("the income is proven: 1, 2, c, u")
    ada.press("Escape")
    ada.press("1")
    assert ada.press("Enter", loads=True) == 200
    assert "decided grant, against the proposal refuse" in ada.text()
    ada.press("n", loads=True)
    assert ada.run("location.pathname") == f"/cases/{desk.queue().ids[1]}"
    ada.press("l", loads=True)
    assert ada.text("h1") == "To do"


def test_of_ten_thousand_cases_each_page_shows_its_own_and_all_are_counted(site):
    """`scripts/bench review` says how long that takes."""
    address, desk, registered = site
    acts = [Act(name, DECIDE, "refuse", "a reason") for name in desk.queue().ids[100:10_000:10]]
    desk.act(acts, "ben", "root", datetime.now(UTC))
    client, total = Client(int(address.rpartition(":")[2])), len(desk.queue().ids)
    client.enter(registered["ada"])
    assert total >= CASES
    seen = [re.findall("/cases/([0-9a-f]{64})", client.ask("GET", f"/?view=all&page={page}")[2]) for page in (1, 200)]
    assert seen == [desk.queue().ids[:50], desk.queue().ids[199 * 50 : 200 * 50]]
    decided = client.ask("GET", "/?view=decided")[2]
    assert int(re.search(r"<caption>([0-9,]+) cases", decided)[1].replace(",", "")) >= len(acts)


def test_a_script_in_a_value_is_shown_and_not_run(browser, site):
    address, desk, _ = site
    ada = entered(browser, site, "ada")
    for path in ("/", f"/cases/{desk.queue().ids[4]}"):
        ada.go(f"{address}{path}")
        assert ATTACK in ada.text()
        assert "stolen" not in ada.run("document.title")
    assert [one for one in ada.console() if "Content Security Policy" in str(one)] == []


def test_another_site_cannot_send_a_form_though_the_browser_has_a_session(browser, site):
    address, desk, _ = site
    ada = entered(browser, site, "ada")
    name = desk.queue().ids[6]
    ada.go(f"data:text/html,<form method=post action='{address}/cases/{name}/claim'><button>Click</button></form>")
    assert ada.click("button") == 403
    assert "Nothing was done" in ada.text("body")
    assert ada.run("location.href") == f"{address}/cases/{name}/claim"
    assert desk.ledger.read().actions(name) == ()


@pytest.mark.parametrize(("scheme", "judged"), [("light", 1280), ("dark", 390)])
def test_every_page_fits_a_phone_and_a_laptop_and_is_accessible(browser, site, scheme, judged):
    address, desk, _ = site
    open_case, decided = desk.queue().ids[7], desk.queue().ids[9]
    ada = entered(browser, site, "ada", scheme=scheme)
    paths = ("/", "/?view=mine", f"/cases/{open_case}", f"/cases/{decided}?done=decide", "/no", "/enter")
    for width in (390, 1280):
        ada.look(width, 900, scheme)
        for path in paths:
            ada.go(f"{address}{path}")
            ada.run("document.querySelectorAll('details').forEach(one => one.open = true)")
            assert ada.run("matchMedia('(prefers-color-scheme: dark)').matches") is (scheme == "dark")
            assert ada.run("document.documentElement.scrollWidth <= document.documentElement.clientWidth"), path
            assert width != judged or violations(ada) == [], path


def test_keys_can_be_switched_off_and_the_page_needs_no_script(browser, site):
    address, desk, _ = site
    ada = entered(browser, site, "ada")
    path = f"/cases/{desk.queue().ids[11]}"
    ada.go(f"{address}{path}")
    ada.press("?")
    assert ada.run("document.getElementById('keys').open")
    ada.click("#keys-on", loads=False)
    ada.press("2")
    assert ada.run("document.querySelector('input[name=decision]:checked')") is None
    ada.call("Emulation.setScriptExecutionDisabled", value=True)
    ada.go(f"{address}{path}")
    assert "Decide" in ada.text()
