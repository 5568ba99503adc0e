"""Which code is running: the repository's revision only where the repository holds it."""

import re
import shutil
import subprocess

import pytest

import nightjar
from nightjar.pipeline import revision

VERSION_AND_HASH = re.escape(nightjar.__version__) + r"\+[0-9a-f]{12}"


def git(folder, *arguments):
    identity = ["-c", "user.name=test", "-c", "user.email=test@example.org"]
    done = subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package of two files, within a repository that holds something else."""
    folder = tmp_path / "lib" / "package"
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text("")
    (folder / "page.css").write_text("body {}\n")
    (tmp_path / "own.txt").write_text("a project of one's own")
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "add", "own.txt")
    git(tmp_path, "commit", "--quiet", "-m", "first")
    monkeypatch.setattr(revision, "PACKAGE", folder)
    return folder


def test_a_repository_that_holds_the_package_gives_its_revision_and_whether_files_differ(package):
    git(package, "add", ".")
    git(package, "commit", "--quiet", "-m", "second")
    head = git(package, "rev-parse", "--short=12", "HEAD")
    assert revision.code_revision() == head
    (package / "__init__.py").write_text("changed = True\n")
    assert revision.code_revision() == f"{head}+"


def test_in_a_repository_of_something_else_it_is_version_and_hash(package):
    """As where the environment lies in a project's repository."""
    first = revision.code_revision()
    assert re.fullmatch(VERSION_AND_HASH, first)
    (package / "__pycache__").mkdir()
    (package / "__pycache__" / "__init__.cpython-311.pyc").write_bytes(b"compiled")
    assert revision.code_revision() == first
    (package / "page.css").write_text("body {color: red}\n")
    assert revision.code_revision() != first


def test_without_a_repository_or_without_git_it_is_the_same(package, monkeypatch):
    within = revision.code_revision()
    shutil.rmtree(package.parents[1] / ".git")
    assert revision.code_revision() == within
    monkeypatch.setenv("PATH", "/nowhere")
    assert revision.code_revision() == within
