"""The page by HTTP: whom it refuses, what it never says, and what it does with what people and rows contain."""

import re
from dataclasses import replace
from html import unescape

import pytest

from builders import rows_of
from nightjar.review import tokens
from nightjar.review.desk import Act, Desk
from nightjar.tables.reviews import DECIDE
from nightjar.tables.warehouse import Warehouse
from review import loans
from review.serving import Client, served, token_of

SCRIPT = '<script>alert("x")</script>'


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """Port, desk, folder of tokens, and the tokens of two people."""
    folder = tmp_path_factory.mktemp("page")
    warehouse = Warehouse(str(folder / "warehouse"), "loans")
    warehouse.check_writable()
    project = loans.project(sensitive=("age",))
    reasons = [
        [
            {"feature": SCRIPT, "value": SCRIPT, "contribution": 0.5, "usual": SCRIPT, "text": SCRIPT},
            {"feature": "age", "value": "77", "contribution": -0.2, "usual": "30 to 40", "text": "77 is old"},
        ]
    ] * 80
    loans.store(warehouse, project, reasons=reasons)
    desk = Desk(warehouse, project, "page-1")
    of_tokens = tokens.folder_of(folder / "home", "loans")
    registered = {name: token_of(of_tokens, name) for name in ("ada", "ben")}
    with served(desk, of_tokens) as port:
        yield port, desk, of_tokens, registered


@pytest.fixture
def ada(site):
    return entered(site, "ada")


def entered(site, name):
    port, _, _, registered = site
    client = Client(port)
    assert client.enter(registered[name])[0] == 303
    return client


def fields(text, action):
    """The hidden fields of the form that does something with a case."""
    (form,) = re.findall(rf'<form method="post" action="/cases/[0-9a-f]*/{action}.*?</form>', text, re.DOTALL)
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="(\w+)">', form))


def test_who_has_no_session_sees_nothing_and_changes_nothing(site):
    port, desk, _, _ = site
    name = desk.queue().ids[0]
    for path in ("/", f"/cases/{name}", "/next", "/?view=all"):
        status, headers, text = Client(port).ask("GET", path)
        assert (status, headers["location"], text) == (303, "/enter", "")
    status, _, text = Client(port).ask("POST", f"/cases/{name}/decide", {"decision": "refuse"})
    assert status == 403
    assert name not in text
    status, headers, text = Client(port).ask("GET", "/enter")
    assert status == 200
    assert "a000" not in text


@pytest.mark.parametrize("token", ["", "x" * 43, "ada", "é"])
def test_a_wrong_or_missing_token_lets_nobody_in(site, token):
    client = Client(site[0])
    assert client.enter(token)[0] == 403
    assert client.cookies == {}


def test_a_session_is_a_cookie_that_scripts_and_other_sites_do_not_get_and_no_address_has_the_token(site):
    port, _, _, registered = site
    client = Client(port)
    _, headers = client.enter(registered["ada"])
    (cookie,) = headers.get_all("set-cookie")
    assert headers["location"] == "/"
    assert {"HttpOnly", "SameSite=strict", "Path=/", "Max-Age=43200"} <= set(cookie.split("; "))
    assert registered["ada"] not in str(headers)
    assert registered["ada"] not in client.ask("GET", "/")[2]


def test_a_removed_token_ends_its_sessions(site):
    port, _, folder, _ = site
    token = token_of(folder, "eve")
    client = Client(port)
    client.enter(token)
    assert client.ask("GET", "/")[0] == 200
    (folder / "eve.token").unlink()
    assert client.ask("GET", "/")[0] == 303


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"origin": "http://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": None}, 403),
        ({"origin": "http://127.0.0.1:1"}, 403),
        ({"host": "evil.example"}, 421),
        ({"host": "127.0.0.1"}, 421),
        ({"host": "localhost:{port}"}, 403),  # the origin is not that of this host
        ({"host": "localhost:{port}", "origin": "http://localhost:{port}"}, 303),
    ],
)
def test_another_origin_or_host_is_refused(site, headers, status):
    port, _, _, registered = site
    sent = {name: value and value.format(port=port) for name, value in headers.items()}
    assert Client(port).ask("POST", "/enter", {"token": registered["ada"]}, **sent)[0] == status
    if "host" in sent and status == 421:
        assert Client(port).ask("GET", "/enter", **sent)[0] == 421


def test_a_form_of_another_session_or_too_long_is_refused_and_nothing_recorded(site, ada):
    _, desk, _, _ = site
    name = desk.queue().ids[3]
    own = fields(ada.ask("GET", f"/cases/{name}")[2], "claim")
    before = len(desk.history(name, loans.NOON).actions)
    others = fields(entered(site, "ben").ask("GET", f"/cases/{name}")[2], "claim")
    again = fields(entered(site, "ada").ask("GET", f"/cases/{name}")[2], "claim")
    path = f"/cases/{name}/claim"
    for form in ({}, {"form_token": "x"}, own | {"form_token": others["form_token"]}, again):
        assert ada.ask("POST", path, form)[0] == 403
    assert ada.ask("POST", path, own | {"reason": "x" * 70_000})[0] == 413
    assert ada.ask("POST", path, own | {"seen": "0" * 64})[0] == 409
    assert ada.ask("PUT", path)[0] == 405
    assert len(desk.history(name, loans.NOON).actions) == before


def test_every_answer_has_the_policy_and_what_is_not_there_is_said(ada):
    for path, status in (("/", 200), ("/enter", 200), ("/static/review.css", 200), ("/no", 404), ("/static/no", 404)):
        found, headers, _ = ada.ask("GET", path)
        assert found == status
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
    assert ada.ask("GET", "/cases/" + "f" * 64)[0] == 404
    assert ada.ask("GET", "/docs")[0] == ada.ask("GET", "/openapi.json")[0] == 404


def test_what_rows_and_people_contain_is_text_and_what_is_sensitive_is_not_there(site, ada):
    _, desk, _, _ = site
    name = desk.queue().ids[5]
    for path in ("/", f"/cases/{name}"):
        text = ada.ask("GET", path)[2]
        assert SCRIPT not in text
        assert SCRIPT in unescape(text)
    text = ada.ask("GET", f"/cases/{name}")[2]
    assert "77" not in re.sub("[0-9a-f]{64}|[0-9,.]*77[0-9,.]+|[0-9,.]+77[0-9,.]*", "", text)
    assert "30 to 40" not in text
    assert "(masked)" in text
    form = fields(text, "decide") | {"decision": "grant", "reason": SCRIPT}
    assert ada.ask("POST", f"/cases/{name}/decide?view=all", form)[0] == 303
    text = ada.ask("GET", f"/cases/{name}?done={SCRIPT}&text={SCRIPT}")[2]
    assert SCRIPT not in text
    assert SCRIPT in unescape(text)


def test_an_override_without_a_reason_is_refused_and_what_was_chosen_is_still_there(site, ada):
    _, desk, _, _ = site
    name = next(one for one in desk.queue().ids if desk.queue().row(one)["tier"] == "reject")
    form = fields(ada.ask("GET", f"/cases/{name}")[2], "decide")
    status, _, text = ada.ask("POST", f"/cases/{name}/decide", form | {"decision": "grant", "reason": " "})
    assert status == 409
    assert "Say why you decide grant: it overrides the proposal, refuse." in text
    assert re.search(r'value="grant" required checked', text)


def test_the_first_of_two_open_forms_wins_and_the_second_person_is_told(site, ada):
    _, desk, _, _ = site
    ben, name = entered(site, "ben"), desk.queue().ids[8]
    forms = [fields(one.ask("GET", f"/cases/{name}")[2], "decide") for one in (ada, ben)]
    decided = {"decision": "refuse", "reason": "a reason"}
    status, headers, _ = ada.ask("POST", f"/cases/{name}/decide?view=open&order=due", forms[0] | decided)
    assert (status, headers["location"]) == (303, f"/cases/{name}?view=open&order=due&done=decide")
    status, _, text = ben.ask("POST", f"/cases/{name}/decide", forms[1] | decided)
    assert status == 409
    assert "ada decided this case at" in text
    assert rows_of(desk.warehouse, "reviews", "prediction_id", "reviewer").count((name, "ben")) == 0


def test_a_second_person_sees_nothing_of_the_first(tmp_path):
    warehouse = Warehouse(str(tmp_path / "warehouse"), "loans")
    warehouse.check_writable()
    project = loans.project(replace(loans.REVIEW, looked_at_twice=1.0))
    loans.store(warehouse, project)
    desk, folder = Desk(warehouse, project, "page-1"), tokens.folder_of(tmp_path / "home", "loans")
    name = desk.queue().ids[0]
    registered = {one: token_of(folder, one) for one in ("ada", "ben")}
    with served(desk, folder) as port:
        ben = Client(port)
        ben.enter(registered["ben"])
        before = ben.ask("GET", f"/cases/{name}")[2]
        desk.act([Act(name, DECIDE, "refuse", "a telling reason")], "ada", "page", loans.NOON)
        after = ben.ask("GET", f"/cases/{name}")[2]
        without_marks = [re.sub(r"[0-9a-f]{64}|in [\w ]+<|[\w ]+ overdue", "", text) for text in (before, after)]
        assert without_marks[0] == without_marks[1]
        ada = Client(port)
        ada.enter(registered["ada"])
        assert "a telling reason" in ada.ask("GET", f"/cases/{name}")[2]


def test_the_list_has_pages_filters_and_a_next_case(site, ada):
    _, desk, _, _ = site
    text = ada.ask("GET", "/?view=all&page=99999999")[2]
    total = len(desk.queue().ids)
    assert f"{total} cases" in text
    assert text.count('class="case"') == total
    assert ada.ask("GET", "/?view=all&text=nobody")[2].count('class="case"') == 0
    for wish in ("view=nonsense", "page=-1", "page=%EF%BC%91", "order=%00", "tier=%3Cb%3E", "text=" + "x" * 5_000):
        assert ada.ask("GET", f"/?{wish}")[0] == 200
    _, headers, _ = ada.ask("GET", f"/next?order=due&after={desk.queue().ids[0]}")
    assert re.fullmatch(r"/cases/[0-9a-f]{64}\?order=due", headers["location"])
