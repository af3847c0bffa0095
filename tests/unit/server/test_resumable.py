"""Uploads that are begun while others are."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from terminal_server.files.resumable import Uploads

from tests.contract.running import DEADLINE_SECONDS, names


def test_an_upload_that_is_being_begun_is_taken_for_a_leftover_by_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reached, go_on = Event(), Event()
    make = os.open

    def make_slowly(path: Path, *arguments: Any) -> int:
        if path.parent.name == "slow":
            reached.set()
            assert go_on.wait(DEADLINE_SECONDS)
        return make(path, *arguments)

    monkeypatch.setattr(os, "open", make_slowly)
    uploads, another_servers = (Uploads(tmp_path / "records", 60) for _ in range(2))
    with ThreadPoolExecutor(1) as thread:
        beginning = thread.submit(uploads.begin, tmp_path / "slow" / "file", 3)
        assert reached.wait(DEADLINE_SECONDS)
        (record,) = (tmp_path / "records").iterdir()
        for these in (uploads, another_servers):
            these.expire()
        go_on.set()
        upload = beginning.result()
    assert uploads.find(upload.id) == (upload, 0)
    assert record.exists()


def test_an_upload_that_cannot_be_begun_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    uploads = Uploads(tmp_path / "records", 60)

    def fail(*_: object) -> int:
        raise PermissionError

    monkeypatch.setattr(os, "open", fail)
    with pytest.raises(PermissionError):
        uploads.begin(tmp_path / "folder" / "file", 3)
    assert names(tmp_path / "folder") == names(tmp_path / "records") == []


@pytest.mark.parametrize("record", ["", "null", '{"id": 1}', "[" * 100_000])
def test_a_record_that_somebody_spoilt_is_of_no_upload(tmp_path: Path, record: str) -> None:
    uploads = Uploads(tmp_path / "records", 60)
    spoilt = uploads.begin(tmp_path / "file", 3)
    (tmp_path / "records" / f"{spoilt.id}.json").write_text(record)
    assert uploads.find(spoilt.id) is None
    uploads.begin(tmp_path / "another", 3)
