"""The search's memory on disk: what is finished is found again, and damage is never taken for an empty file."""

import fcntl
import json
import os

import pytest

from nightjar.errors import LearningError
from nightjar.learning.search import ledger
from nightjar.learning.search.fold_tasks import FoldResult

FIRST = FoldResult("boosting-1", "fold 1", 7, {"roc_auc": 0.71, "log_loss": 0.3}, 1.5)
FAILED = FoldResult("boosting-1", "fold 2", 8, {}, 0.5, "Traceback ...\nValueError: no\n")


@pytest.fixture
def path(tmp_path):
    with ledger.open_ledger(tmp_path, "abc") as book:
        book.append("k1", FIRST)
        book.append("k1", FAILED)
    return tmp_path / "abc.jsonl"


def test_whether_a_search_is_in_use_is_known_to_others(tmp_path):
    assert not ledger.in_use(tmp_path, "abc")
    with ledger.open_ledger(tmp_path, "abc"):
        assert ledger.in_use(tmp_path, "abc")
        assert not ledger.in_use(tmp_path, "abd")
    assert not ledger.in_use(tmp_path, "abc")


def test_who_is_asking_whether_it_is_in_use_keeps_no_search_from_its_ledger(tmp_path, path, monkeypatch):
    asks = os.open(path, os.O_RDONLY)
    fcntl.flock(asks, fcntl.LOCK_SH)
    monkeypatch.setattr(ledger.time, "sleep", lambda _: os.close(asks))
    assert len(read_finished(path)) == 2


def test_a_full_disk_ends_the_search_and_says_so(tmp_path):
    """On a device without any room. What is not on disk is not finished."""
    full = ledger.Ledger(tmp_path / "abc.jsonl", "abc", {}, os.open("/dev/full", os.O_WRONLY))
    with pytest.raises(LearningError, match=r"abc\.jsonl cannot be written, so the search ends here: .*No space left"):
        full.append("k1", FIRST)
    assert full.finished == {}
    os.close(full._file)


def read_finished(path):
    with ledger.open_ledger(path.parent, path.stem) as book:
        return book.finished


def test_what_was_appended_is_found_by_the_next_process(path):
    assert read_finished(path) == {("k1", "fold 1"): FIRST, ("k1", "fold 2"): FAILED}


def test_a_result_is_found_under_the_name_its_candidate_has_now(path):
    with ledger.open_ledger(path.parent, "abc") as book:
        assert book.find("k1", "fold 1", "boosting-9").candidate == "boosting-9"
        assert book.find("k1", "fold 3", "boosting-1") is None
        assert book.find("k2", "fold 1", "boosting-1") is None


def test_the_file_is_data(path):
    (begun, first, _) = path.read_text().splitlines()
    assert set(json.loads(begun)) == {"search", "check"}
    assert json.loads(first)["measures"] == {"roc_auc": 0.71, "log_loss": 0.3}


def change_value(text):
    return text.replace('"roc_auc": 0.71', '"roc_auc": 0.91')


def cut(text):
    return text[:-20]


def join_lines(text):
    return text.replace("}\n{", "}{")


def of_another_search(text):
    return text.replace('"search": "abc"', '"search": "abd"')


def empty(_):
    return ""


def drop_first_line(text):
    return text[text.index("\n") + 1 :]


def begun_twice(text):
    return text + text[: text.index("\n") + 1]


def twice(text):
    """A second result of one fold, as where two files were joined: which one holds?"""
    return text + "".join(text.splitlines(keepends=True)[1:])


def empty_line(text):
    return text + "\n"


@pytest.mark.parametrize(
    ("damage", "line"),
    [
        (change_value, 2),
        (cut, 3),
        (join_lines, 1),
        (of_another_search, 1),
        (empty_line, 4),
        (empty, 1),
        (drop_first_line, 1),
        (begun_twice, 4),
        (twice, 4),
    ],
)
def test_a_damaged_ledger_stops_and_names_the_line(path, damage, line):
    path.write_text(damage(path.read_text()))
    before = path.read_bytes()
    with pytest.raises(LearningError, match=rf"abc\.jsonl is damaged in line {line}"):
        read_finished(path)
    assert path.read_bytes() == before


def test_a_ledger_without_results_is_there_from_the_start(tmp_path):
    with ledger.open_ledger(tmp_path, "abc") as book:
        assert (book.finished, [one.name for one in tmp_path.iterdir()]) == ({}, ["abc.jsonl"])
    assert read_finished(tmp_path / "abc.jsonl") == {}


def test_two_processes_never_hold_one_ledger(path):
    with ledger.open_ledger(path.parent, "abc"), pytest.raises(LearningError, match="running already"):
        read_finished(path)


def test_a_fold_that_is_finished_is_not_finished_again(path):
    before = path.read_bytes()
    with (
        ledger.open_ledger(path.parent, "abc") as book,
        pytest.raises(LearningError, match="boosting-1 on fold 1 is finished already"),
    ):
        book.append("k1", FIRST)
    assert path.read_bytes() == before


def test_a_ledger_that_cannot_be_opened_is_told_by_its_name(path):
    path.unlink()
    path.mkdir()
    with pytest.raises(
        LearningError, match=r"abc\.jsonl, which remembers the search's finished folds, cannot be opened: .*dir"
    ):
        read_finished(path)
