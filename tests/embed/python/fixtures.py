"""What the tests share: the images of disk-fixtures/, and a line for docs/RUNTIMES.md."""

import hashlib
import json
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
DIST = ROOT / "dist"
FOLDER = ROOT / "disk-fixtures"
IMAGES = ["tiny", "modes", "aligned", "delta", "gitdelta", "gitmodes", "refdelta"]


def files(name: str) -> list[tuple[str, str]]:
    """Path and blob id of every file of an image."""
    lines = (FOLDER / f"{name}.blobs.txt").read_text("utf-8").splitlines()
    return [(path, oid) for oid, path in (line.split("  ", 1) for line in lines)]


def blob_oid(data: bytes) -> str:
    """The id that git gives to a content."""
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


def report(run: str, count: int) -> None:
    """Prints what a test ran."""
    print(json.dumps({"runtime": "wasmtime", "version": version("wasmtime"), "run": run, "count": count}), flush=True)
