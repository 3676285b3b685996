"""Runs the WASI builds of the guest `simple` in wasmtime.

Without arguments: prints every file of images of disk-fixtures/ and compares their blob ids, and the messages for what is not
there. With arguments, SIMPLE.wasi.wasm IMAGE FILENAME EXPECTED: prints FILENAME of IMAGE and compares it with the file EXPECTED.
"""

import hashlib
import sys
import tempfile
from pathlib import Path

from wasmtime import Engine, ExitTrap, Linker, Module, Store, WasiConfig

ROOT = Path(__file__).resolve().parents[2]
FIXTURES = ["tiny", "gitmodes", "refdelta"]
# A run is a process to the guest, so that of large images a few files must do.
FILES_MAX = 20


class Guest:
    """A WASI build of `simple`, compiled once."""

    def __init__(self, path: Path) -> None:
        self.engine = Engine()
        self.linker = Linker(self.engine)
        self.linker.define_wasi()
        self.module = Module.from_file(self.engine, str(path))

    def run(self, folder: Path, arguments: list[str]) -> tuple[int, bytes, bytes]:
        """The exit status and the two outputs of a run with `folder` preopened as the working directory."""
        with tempfile.TemporaryDirectory() as outputs:
            out, err = Path(outputs, "out"), Path(outputs, "err")
            wasi = WasiConfig()
            wasi.argv = ["simple.wasi.wasm", *arguments]
            wasi.preopen_dir(str(folder), ".")
            wasi.stdout_file = str(out)
            wasi.stderr_file = str(err)
            store = Store(self.engine)
            store.set_wasi(wasi)
            status = 0
            try:
                start = self.linker.instantiate(store, self.module).exports(store)["_start"]
                start(store)
            except ExitTrap as end:
                status = end.code
            del store
            return status, out.read_bytes(), err.read_bytes()

    def cat(self, image: Path, filename: str) -> tuple[int, bytes, bytes]:
        return self.run(image.parent, [f"--block:docteur={image.name}", "--filename", filename])


def check(what: str, actual: tuple[int, bytes, bytes], expected: tuple[int, bytes, bytes]) -> None:
    if actual != expected:
        sys.exit(f"wasi_wasmtime: {what}: got {actual!r:.300}, expected {expected!r:.300}")


def blob_oid(data: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


def check_fixture(guest: Guest, name: str) -> int:
    image = ROOT / "disk-fixtures" / f"{name}.img"
    lines = (image.parent / f"{name}.blobs.txt").read_text().splitlines()
    step = max(1, len(lines) // FILES_MAX)
    for line in lines[::step]:
        oid, filename = line[:40], line[42:]
        status, data, err = guest.cat(image, filename)
        check(f"{name}{filename}", (status, blob_oid(data).encode(), err), (0, oid.encode(), b""))
    return len(lines[::step])


def check_refusals(guest: Guest) -> None:
    image = ROOT / "disk-fixtures" / "tiny.img"
    check("no such file", guest.cat(image, "/no/such/file"), (1, b"Error: /no/such/file not found.\n", b""))
    check("a directory", guest.cat(image, "/"), (1, b"Error: / is not a file.\n", b""))
    prefix = b"solo5-wasm: Could not open block device: "
    nowhere = image.with_name("no-such.img")
    check("no such image", guest.cat(nowhere, "/x"), (1, b"", prefix + b"no-such.img: no such file or directory\n"))
    outside = guest.run(image.parent, ["--block:docteur=../package.json", "--filename", "/x"])
    if outside[0] != 1 or outside[1] or not outside[2].startswith(prefix):
        sys.exit(f"wasi_wasmtime: a path outside: got {outside!r}")


def main() -> None:
    if len(sys.argv) == 5:
        module, image, filename, expected = sys.argv[1:]
        check(filename, Guest(Path(module)).cat(Path(image).resolve(), filename), (0, Path(expected).read_bytes(), b""))
        return
    if len(sys.argv) != 1:
        sys.exit(__doc__)
    for build in ["simple.wasi.wasm", "simple.wasi.simd.wasm"]:
        guest = Guest(ROOT / "dist" / "guest" / build)
        count = sum(check_fixture(guest, name) for name in FIXTURES)
        check_refusals(guest)
        print(f"wasi_wasmtime: {build}: {count} files of {len(FIXTURES)} images are as git has them")


main()
