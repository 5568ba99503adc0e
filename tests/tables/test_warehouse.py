"""Where tables lie, and folders that cannot be written."""

import os
import subprocess
from pathlib import Path

import pytest

from nightjar.errors import TableError
from nightjar.tables.warehouse import Warehouse


def test_a_path_is_absolute_for_a_folder_and_as_given_for_an_object_store(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert Warehouse("warehouse", "machines").path("scores") == f"{tmp_path}/warehouse/machines/scores"
    assert Warehouse("s3://bucket/lake/", "machines").path("scores") == "s3://bucket/lake/machines/scores"
    assert not Warehouse("s3://bucket/lake", "machines").is_local()


def test_the_projects_folder_is_created(tmp_path):
    Warehouse(str(tmp_path / "deep" / "warehouse"), "machines").check_writable()
    assert (tmp_path / "deep" / "warehouse" / "machines").is_dir()


def test_a_folder_that_cannot_be_created_is_refused_with_its_path_and_what_to_do(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(TableError, match=r"The warehouse .*/file/w/machines cannot be created: .*environment.ware"):
        Warehouse(str(tmp_path / "file" / "w"), "machines").check_writable()


def test_a_read_only_folder_is_refused(tmp_path):
    """For root, only a read-only file system is read-only."""
    folder = tmp_path / "warehouse"
    Warehouse(str(folder), "machines").check_writable()
    if os.geteuid():
        (folder / "machines").chmod(0o500)
    else:
        path = str(folder)
        if subprocess.run(["mount", "--bind", "-o", "ro", path, path], capture_output=True, check=False).returncode:
            pytest.skip("as root, without the right to mount, no folder is read-only")
    try:
        with pytest.raises(TableError, match=r"The warehouse .*machines is not writable"):
            Warehouse(str(folder), "machines").check_writable()
    finally:
        if os.geteuid():
            (folder / "machines").chmod(0o700)
        else:
            subprocess.run(["umount", str(folder)], check=True)
    assert Path(folder).exists()
