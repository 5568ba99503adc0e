"""Who may enter: tokens in files of their own, and sessions that are nothing but signed."""

import os
import stat
from datetime import timedelta

import pytest

from nightjar.errors import ReviewError, UsageError
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
def test_a_token_that_others_can_read_lets_nobody_in(folder, mode):
    tokens.admit(folder, "ada").chmod(mode)
    with pytest.raises(ReviewError, match=f"mode {mode:o}.*expected 600"):
        tokens.read_tokens(folder)


def test_an_empty_file_is_no_token_that_an_empty_text_fits(folder):
    path = tokens.admit(folder, "ada")
    os.truncate(path, 0)
    with pytest.raises(ReviewError, match="holds no token"):
        tokens.read_tokens(folder)


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
