"""Files that are not the user's to read or to change."""

import io
import zipfile
from pathlib import Path

from tests.contract.running import connected
from tests.jail.jail import jailed


async def test_a_file_that_may_not_be_written_to_is_left_alone(tmp_path: Path) -> None:
    with jailed(tmp_path) as server:
        async with connected(server) as client:
            await client.execute("mkdir shut; printf old > file; chmod 444 file; chmod 555 shut", timeout=10)
            for path in ("file", "shut/new"):
                await client.json("POST", "/files/write", 403, json={"path": path, "content": "new"})
            await client.upload(b"new", "file", ".", status=403)
            listed = (await client.execute("cat file; ls -A shut", timeout=10))["stdout"]
            assert listed == "old"


async def test_a_file_that_may_not_be_read_is_left_out_of_an_archive_and_that_is_said(tmp_path: Path) -> None:
    with jailed(tmp_path) as server:
        async with connected(server) as client:
            await client.execute("mkdir f; echo a > f/a.txt; echo b > f/b.txt; chmod 0 f/a.txt", timeout=10)
            async with client.request("POST", "/files/archive", json={"paths": ["f"]}) as response:
                assert response.status == 200
                made = zipfile.ZipFile(io.BytesIO(await response.read()))
    assert made.read("f/b.txt") == b"b\n"
    assert made.read("NOT-IN-THIS-ARCHIVE.txt") == b"f/a.txt: Permission denied\n"
