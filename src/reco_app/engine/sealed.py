"""The files of a release and what its manifest says of them: whole, or refused.

The manifest is sealed with SHA-256; each file is known by its size and its CRC-32, which tells any
change within 32 bits for certain and misses one in four billion of the others. Every process reads
all bytes before it serves them: CRC-32 takes half the time of SHA-256 (docs/releases.md).
"""

import hashlib
import json
import os
import re
import stat
import zlib
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import partial
from io import FileIO
from pathlib import Path
from typing import Any, NamedTuple

MANIFEST = "manifest.json"
SEAL = "seal"
FORMAT = 4
"""Of the files in a release; a process opens only those that it was written for."""
FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
MOST_MANIFEST_BYTES = 4 << 20
PART_BYTES = 1 << 18  # read at a time; a mapped file that is cut short would end the process
READERS = 2  # threads that read and sum up at the same time; neither holds the interpreter's lock


class ReleaseCorrupt(Exception):
    """A release folder lacks a file, or a file is not what the manifest says."""


class ReleaseOutdated(ReleaseCorrupt):
    """A release was written in another format than this program reads."""


class Stamp(NamedTuple):
    """What the file system says of one file; another one where the file was changed."""

    name: str
    inode: int
    size: int
    modified_ns: int
    changed_ns: int


def seal(manifest: Mapping[str, Any]) -> str:
    """SHA-256 of all that a manifest says but for the seal itself."""
    return hashlib.sha256(json.dumps(manifest, sort_keys=True).encode()).hexdigest()


def verify(folder: Path) -> dict[str, Any]:
    """The manifest of a whole release. Raises ReleaseCorrupt if anything differs from it."""
    manifest = read_manifest(folder)
    files = sorted(manifest["files"].items(), key=lambda file: -file[1][0])  # the largest first
    with ThreadPoolExecutor(READERS) as readers:
        for wrong in readers.map(partial(_difference, folder), files):
            if wrong:
                readers.shutdown(cancel_futures=True)
                raise _corrupt(folder, wrong)
    return manifest


def read_manifest(folder: Path) -> dict[str, Any]:
    """What a release says of itself, the files not looked at.

    Raises ReleaseCorrupt, and ReleaseOutdated if it is whole but of another format.
    """
    try:
        manifest: dict[str, Any] = json.loads(contents(folder / MANIFEST, MOST_MANIFEST_BYTES))
        sealed = manifest.pop(SEAL) == seal(manifest)
    except OSError as error:
        raise _corrupt(folder, f"{MANIFEST}: {error.strerror}") from error
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise _corrupt(folder, f"{MANIFEST} cannot be read") from error
    if not sealed:
        raise _corrupt(folder, f"{MANIFEST} was changed after it was sealed")
    if manifest.get("format") != FORMAT:
        raise ReleaseOutdated(
            f"{folder.name} is of another version of this program; train a new release"
        )
    if not _complete(manifest) or manifest["version"] != folder.name:
        raise _corrupt(folder, f"{MANIFEST} is not that of this release")
    return manifest


def _difference(folder: Path, file: tuple[str, Any]) -> str:
    """In what a file differs from what the manifest says of it; empty if in nothing."""
    name, told = file
    try:
        found = described(folder / name)
    except OSError as error:
        return f"{name}: {error.strerror}"
    return "" if found == told else f"{name} is not what the manifest says"


def described(path: Path) -> list[Any]:
    """Size and CRC-32 of a file, as they stand in a manifest."""
    size = checksum = 0
    part = memoryview(bytearray(PART_BYTES))
    with opened(path) as file:
        while count := file.readinto(part):
            checksum = zlib.crc32(part[:count], checksum)
            size += count
    return [size, f"{checksum:08x}"]


def opened(path: Path) -> FileIO:
    """A regular file: a link could lead anywhere, a pipe would never end."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(None, "is not a file", str(path))
    return FileIO(descriptor, "rb")


def contents(path: Path, most_bytes: int) -> bytes:
    """The whole of a small file. Raises OSError if it is larger than it can be."""
    with opened(path) as file:
        if os.fstat(file.fileno()).st_size > most_bytes:
            raise OSError(None, "is too large", str(path))
        return file.readall()


def stamps(folder: Path) -> tuple[Stamp, ...]:
    """What the file system says of a folder's files: cheap to compare twice a second."""
    try:
        with os.scandir(folder) as entries:
            return tuple(sorted(_stamp(entry) for entry in entries))
    except OSError:
        return ()


def changed_in_place(before: tuple[Stamp, ...], after: tuple[Stamp, ...]) -> bool:
    """Whether a file that may be mapped now holds something else; not if it was only removed."""
    kept = {(one.name, one.inode): one for one in before}
    return any(kept.get((one.name, one.inode), one) != one for one in after)


def _stamp(entry: os.DirEntry[str]) -> Stamp:
    found = entry.stat(follow_symlinks=False)
    return Stamp(entry.name, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)


def _complete(manifest: Mapping[str, Any]) -> bool:
    """Whether what every reader of a manifest rests on is there, in its type."""
    files = manifest.get("files")
    if not isinstance(files, dict) or not isinstance(manifest.get("parameters"), dict):
        return False
    try:
        datetime.fromisoformat(manifest["trained_at"])
    except (KeyError, TypeError, ValueError):
        return False
    return all(map(FILE_NAME.fullmatch, files)) and all(map(_is_description, files.values()))


def _is_description(told: object) -> bool:
    """Whether it has the form of what `described` returns."""
    match told:
        case [int(), str()]:
            return True
    return False


def _corrupt(folder: Path, why: str) -> ReleaseCorrupt:
    return ReleaseCorrupt(f"{folder.name} is corrupt: {why}; roll back, or train a new release")
