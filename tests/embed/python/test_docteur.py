"""Reads every file of every image of disk-fixtures/ in every mode, on both builds, and tries paths as Python has them."""

import csv
import unittest
from importlib.resources import as_file
from importlib.resources.abc import Traversable

from docteur import MODE_ANALYZE, MODE_FAST, MODE_LIGHT, Core, DocteurError, ImagePath
from fixtures import DIST, FOLDER, IMAGES, blob_oid, files, report


def image(name: str) -> bytes:
    return (FOLDER / f"{name}.img").read_bytes()


class EveryFile(unittest.TestCase):
    def read_all(self, build: str) -> None:
        core = Core.load(DIST / build)
        count = 0
        for name in IMAGES:
            for mode in (MODE_LIGHT, MODE_FAST, MODE_ANALYZE):
                root = core.open(image(name), mode).root
                for path, oid in files(name):
                    self.assertEqual(blob_oid((root / path[1:]).read_bytes()), oid, f"{name}, mode {mode}: {path}")
                    count += 1
        report(build, count)

    def test_baseline(self) -> None:
        self.read_all("core.wasm")

    def test_simd(self) -> None:
        self.read_all("core.simd.wasm")


class Paths(unittest.TestCase):
    @classmethod
    def setUpClass(cls) -> None:
        cls.core = Core.load(DIST / "core.simd.wasm")
        cls.root = cls.core.open(image("gitmodes")).root

    def test_every_listed_file(self) -> None:
        found = {str(path) for path in self.root.rglob_files()}
        self.assertLessEqual({path for path, _ in files("gitmodes")}, found)
        self.assertNotIn("/dirlink/f", found)

    def test_kinds(self) -> None:
        kinds = {path.name: (path.is_dir(), path.is_file()) for path in self.root.iterdir()}
        self.assertEqual(kinds["dir"], (True, False))
        self.assertEqual(kinds["hello.txt"], (False, True))
        self.assertEqual(kinds["link.txt"], (False, True))
        self.assertEqual(kinds["dirlink"], (True, False))
        self.assertEqual(kinds["dangling"], (False, False))
        self.assertEqual((self.root / "dirlink" / "f").read_text(), "f\n")
        submodule = self.root / "vendor" / "sub"
        self.assertTrue(submodule.is_dir())
        self.assertEqual(list(submodule.iterdir()), [])

    def test_refusals(self) -> None:
        with self.assertRaises(FileNotFoundError):
            (self.root / "nope").read_bytes()
        with self.assertRaises(IsADirectoryError):
            (self.root / "dir").read_text()
        with self.assertRaises(NotADirectoryError):
            list((self.root / "hello.txt").iterdir())
        with self.assertRaises(ValueError):
            (self.root / "new").open("w")
        with self.assertRaises(DocteurError):
            self.core.open(bytes(1024))

    def test_streams(self) -> None:
        path, oid = files("aligned")[0]
        file = self.core.open(image("aligned")).root.joinpath(path)
        with file.open("rb") as stream:
            whole = stream.read()
            self.assertEqual(blob_oid(whole), oid)
            self.assertEqual(stream.seek(-7, 2), len(whole) - 7)
            self.assertEqual(stream.read(100), whole[-7:])
            stream.seek(1000)
            self.assertEqual(stream.read(3), whole[1000:1003])

    def test_importlib_resources(self) -> None:
        self.assertIsInstance(self.root, Traversable)
        file = self.root / "hello.txt"
        with as_file(file) as extracted:
            self.assertEqual(extracted.read_bytes(), file.read_bytes())
        with file.open(encoding="utf-8", newline="") as lines:
            self.assertGreater(len(list(csv.reader(lines))), 0)
        self.assertEqual(file.parent, self.root)
        self.assertEqual(repr(file), "ImagePath('/hello.txt')")
        self.assertIsInstance(file, ImagePath)


if __name__ == "__main__":
    unittest.main()
