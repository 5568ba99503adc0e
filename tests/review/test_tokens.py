"""Who may enter: tokens in files of their own, and sessions that are nothing but signed."""

import stat
from datetime import timedelta

import pytest

from nightjar.errors import UsageError
from nightjar.review import tokens
from review.loans import NOON


@pytest.fixture
def folder(tmp_path):
    return tokens.folder_of(tmp_path / "home", "loans")


def test_a_token_is_read_by_its_owner_alone_and_made_once(folder):
    path = tokens.admit(folder, "ada")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    before = path.read_text()
    with pytest.raises(UsageError, match="ada has a token"):
        tokens.admit(folder, "ada")
    assert path.read_text() == before
    assert tokens.admit(folder, "ben").read_text() != before
    assert {name: len(one) for name, one in tokens.read_tokens(folder).items()} == {"ada": 43, "ben": 43}


@pytest.mark.parametrize("name", ["", "Ada", "../ada", ".ada", "a/b", "a\n", "a" * 64, "ada eve", "a:b"])
def test_a_name_is_harmless_in_a_path_and_a_cookie(folder, name):
    with pytest.raises(UsageError, match="by: found"):
        tokens.admit(folder, name)
    assert not folder.exists()


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660])
def test_a_token_that_others_can_read_lets_nobody_in_and_nobody_else_out(folder, mode, caplog):
    tokens.admit(folder, "ada").chmod(mode)
    tokens.admit(folder, "ben")
    assert tokens.read_tokens(folder).keys() == {"ben"}
    assert f"mode {mode:o}, so that others can read the token, expected 600" in caplog.text


@pytest.mark.parametrize(
    ("content", "why"), [(b"", "holds no token"), (b"short", "holds no token"), ("é".encode() * 43, "cannot be read")]
)
def test_a_file_without_a_token_lets_nobody_in_and_nobody_else_out(folder, content, why, caplog):
    tokens.admit(folder, "ada").write_bytes(content)
    tokens.admit(folder, "ben")
    tokens.admit(folder, "eve").rename(folder / "Eve.token")
    (folder / "gone.token").symlink_to(folder / "removed meanwhile")
    assert tokens.read_tokens(folder).keys() == {"ben"}
    assert why in caplog.text
    assert "Eve.token is not called as a reviewer may be" in caplog.text
    assert "gone" not in caplog.text


def test_no_token_is_there_before_it_is_written(folder, monkeypatch):
    """Whoever is killed while writing leaves no reviewer who cannot be admitted again."""
    monkeypatch.setattr(tokens.secrets, "token_urlsafe", lambda _: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        tokens.admit(folder, "ada")
    assert list(folder.iterdir()) == []


def test_a_session_holds_for_its_time_its_person_and_as_long_as_the_token_does(folder):
    for name in ("ada", "ben"):
        tokens.admit(folder, name)
    registered = tokens.read_tokens(folder)
    assert tokens.reviewer_of(registered, registered["ben"]) == "ben"
    assert tokens.reviewer_of(registered, registered["ben"][:-1]) is None
    assert tokens.reviewer_of(registered, "") is None
    cookie = tokens.cookie_of("ada", registered["ada"], NOON)
    assert registered["ada"] not in cookie
    session = tokens.session_of(cookie, registered, NOON)
    assert session.reviewer == "ada"
    assert tokens.session_of(cookie, registered, NOON + tokens.LASTS - timedelta(seconds=1)) == session
    assert tokens.session_of(cookie, registered, NOON + tokens.LASTS + timedelta(seconds=1)) is None
    assert tokens.session_of(cookie, {"ben": registered["ben"]}, NOON) is None
    reviewer, ends, nonce, signature = cookie.split(":")
    forged = [
        f"ben:{ends}:{nonce}:{signature}",
        f"{reviewer}:{int(ends) + 1}:{nonce}:{signature}",
        f"{reviewer}:{ends}:x{nonce}:{signature}",
        f"{reviewer}:{ends}:{nonce}:{signature[:-1]}",
        f"{reviewer}:{ends}:{nonce}:",
        cookie + ":",
        "",
        "é" * 4,
    ]
    assert [tokens.session_of(one, registered, NOON) for one in forged] == [None] * len(forged)
    other = tokens.session_of(tokens.cookie_of("ada", registered["ada"], NOON), registered, NOON)
    assert session.form_token not in (other.form_token, session.sign("forms"), session.sign("for", "m"))
