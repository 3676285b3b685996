"""Runs the WASI builds of the guest `simple` in wasmtime: prints files, and compares the messages for what is not there."""

import tempfile
import unittest
from pathlib import Path

from fixtures import DIST, FOLDER, IMAGES, blob_oid, files, report
from wasmtime import Engine, ExitTrap, Linker, Module, Store, WasiConfig

# A run is a process to the guest, so that of large images a few files must do.
FILES_MAX = 20


class Guest:
    """A WASI build of `simple`, compiled once."""

    def __init__(self, path: Path) -> None:
        self.engine = Engine()
        self.linker = Linker(self.engine)
        self.linker.define_wasi()
        self.module = Module.from_file(self.engine, str(path))

    def run(self, *arguments: str) -> tuple[int, bytes, bytes]:
        """The exit status and the two outputs of a run with the folder of the images as the working directory."""
        with tempfile.TemporaryDirectory() as outputs:
            out, err = Path(outputs, "out"), Path(outputs, "err")
            wasi = WasiConfig()
            wasi.argv = ["simple.wasi.wasm", *arguments]
            wasi.preopen_dir(str(FOLDER), ".")
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

    def cat(self, image: str, filename: str) -> tuple[int, bytes, bytes]:
        return self.run(f"--block:docteur={image}", "--filename", filename)


class Wasi(unittest.TestCase):
    def prints_files(self, build: str) -> None:
        guest = Guest(DIST / "guest" / build)
        count = 0
        for name in IMAGES:
            listed = files(name)
            for path, oid in listed[:: max(1, len(listed) // FILES_MAX)]:
                status, data, err = guest.cat(f"{name}.img", path)
                self.assertEqual((status, blob_oid(data), err), (0, oid, b""), f"{name}: {path}")
                count += 1
        self.refuses(guest)
        report(build, count)

    def refuses(self, guest: Guest) -> None:
        self.assertEqual(guest.cat("tiny.img", "/no/such/file"), (1, b"Error: /no/such/file not found.\n", b""))
        self.assertEqual(guest.cat("tiny.img", "/"), (1, b"Error: / is not a file.\n", b""))
        prefix = b"solo5-wasm: Could not open block device: "
        nowhere = guest.cat("no-such.img", "/x")
        self.assertEqual(nowhere, (1, b"", prefix + b"no-such.img: no such file or directory\n"))
        status, out, err = guest.cat("../package.json", "/x")
        self.assertEqual((status, out, err[: len(prefix)]), (1, b"", prefix))

    def test_baseline(self) -> None:
        self.prints_files("simple.wasi.wasm")

    def test_simd(self) -> None:
        self.prints_files("simple.wasi.simd.wasm")


if __name__ == "__main__":
    unittest.main()
