"""
A folder out of its bundle. Not `extractall`: its filters came late to the Pythons that people have, and here only three kinds of things are
let out of an archive, and only into the folder.
"""

from __future__ import annotations

import os
import shutil
import tarfile

from .blobs import StorageProblem


def unpack(path: str, folder: str) -> None:
    """Files, folders and links that stay inside; anything else is refused."""
    root = os.path.realpath(folder)
    with tarfile.open(path) as tar:
        for member in tar:
            target = os.path.join(root, member.name)
            # Where it comes to lie, when links on the way are followed.
            place = os.path.join(os.path.realpath(os.path.dirname(target)), os.path.basename(target))
            if not inside(place, root):
                raise StorageProblem(f"The notebook's folder cannot be shown: '{member.name}' would lie outside of it.")
            os.makedirs(os.path.dirname(place), exist_ok=True)
            if member.isdir():
                os.makedirs(place, exist_ok=True)
            elif member.issym():
                if not inside(os.path.normpath(os.path.join(os.path.dirname(place), member.linkname)), root):
                    raise StorageProblem(f"The notebook's folder cannot be shown: '{member.name}' leads out of it.")
                os.symlink(member.linkname, place)
            elif member.isfile():
                with tar.extractfile(member) as source, open(place, "xb") as file:
                    shutil.copyfileobj(source, file, 1 << 20)
                os.chmod(place, member.mode & 0o777 | 0o600)
                os.utime(place, (member.mtime, member.mtime))
            else:
                raise StorageProblem(f"The notebook's folder cannot be shown: '{member.name}' is neither file, folder nor link.")


def inside(path: str, root: str) -> bool:
    return path == root or path.startswith(root + os.sep)
