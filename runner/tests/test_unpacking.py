"""Nothing comes out of a bundle but what belongs into the folder."""

import io
import tarfile

import pytest

from stepwell.blobs import StorageProblem
from stepwell.unpacking import unpack


def archive(path, *members):
    with tarfile.open(path, "w") as tar:
        for name, kind, more in members:
            member = tarfile.TarInfo(name)
            member.type = kind
            if kind == tarfile.REGTYPE:
                member.size = len(more)
                tar.addfile(member, io.BytesIO(more))
            else:
                member.linkname = more
                tar.addfile(member)
    return str(path)


def test_unpacks_files_folders_and_links(tmp_path):
    path = archive(
        tmp_path / "a.tar",
        ("d", tarfile.DIRTYPE, ""),
        ("d/f", tarfile.REGTYPE, b"content"),
        ("d/l", tarfile.SYMTYPE, "f"),
        ("up", tarfile.SYMTYPE, "d/f"),
    )
    unpack(path, str(tmp_path / "out"))
    assert (tmp_path / "out/d/l").read_bytes() == (tmp_path / "out/up").read_bytes() == b"content"


@pytest.mark.parametrize(
    "members",
    [
        [("../f", tarfile.REGTYPE, b"")],
        [("/tmp/f", tarfile.REGTYPE, b"")],
        [("d/../../f", tarfile.REGTYPE, b"")],
        [("l", tarfile.SYMTYPE, "/etc/passwd")],
        [("l", tarfile.SYMTYPE, "../..")],
        [("l", tarfile.SYMTYPE, "d"), ("d", tarfile.SYMTYPE, ".."), ("l/f", tarfile.REGTYPE, b"")],
        [("h", tarfile.LNKTYPE, "/etc/passwd")],
        [("p", tarfile.FIFOTYPE, "")],
        [("c", tarfile.CHRTYPE, "")],
    ],
)
def test_refuses_what_would_leave_the_folder(tmp_path, members):
    (tmp_path / "out").mkdir()
    with pytest.raises(StorageProblem):
        unpack(archive(tmp_path / "a.tar", *members), str(tmp_path / "out"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.tar", "out"]
