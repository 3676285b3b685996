"""Hosts the library core in wasmtime: mounts every image of disk-fixtures/ in every mode, on both builds, and compares blob ids.

What an embedder needs is all here: one import, a few exports, one struct (docs/ABI.md).
"""

import hashlib
import struct
import sys
from pathlib import Path

from wasmtime import Engine, Func, FuncType, Instance, Module, Store, ValType

ROOT = Path(__file__).resolve().parents[2]
FIXTURES = ["tiny", "modes", "aligned", "delta", "gitdelta", "gitmodes", "refdelta"]
OK, EINVAL = 0, 2


class Core:
    """One instance of the core over one image in memory."""

    def __init__(self, engine: Engine, module: Module, image: bytes, mode: int) -> None:
        self.store = Store(engine)
        self.image = image
        i32, i64 = ValType.i32(), ValType.i64()
        block_read = Func(self.store, FuncType([i64, i64, i32, i32], [i32]), self.block_read)
        self.exports = Instance(self.store, module, [block_read]).exports(self.store)
        self.memory = self.exports["memory"]
        self.call("mountBegin", 0, len(image), 512, mode, 0)
        # The image is in memory, and no read has to be waited for: one handle is enough.
        self.handle = self.exports["operation"](self.store)
        self.call("mount", self.handle)

    def block_read(self, _handle: int, offset: int, target: int, size: int) -> int:
        if offset % 512 or size % 512 or offset + size > len(self.image):
            return EINVAL
        self.memory.write(self.store, self.image[offset : offset + size], target)
        return OK

    def call(self, name: str, *arguments: int) -> None:
        status = self.exports[name](self.store, *arguments)
        if status != OK:
            raise RuntimeError(f"{name}: status {status}")

    def get(self, path: bytes) -> bytes:
        """A file's content, piece by piece."""
        source = self.exports["input"](self.store)
        content = b""
        while True:
            self.memory.write(self.store, path, source)
            self.call("read", self.handle, source, len(path), 0, len(content), 1 << 20)
            result = self.exports["result"](self.store, self.handle)
            (data, length) = struct.unpack("<II", self.memory.read(self.store, result + 24, result + 32))
            if length == 0:
                return content
            content += bytes(self.memory.read(self.store, data, data + length))


def main() -> int:
    engine = Engine()
    count = 0
    for build in ["core.wasm", "core.simd.wasm"]:
        module = Module.from_file(engine, str(ROOT / "dist" / build))
        for name in FIXTURES:
            image = (ROOT / "disk-fixtures" / f"{name}.img").read_bytes()
            lines = (ROOT / "disk-fixtures" / f"{name}.blobs.txt").read_text("utf-8").splitlines()
            for mode in range(3):
                core = Core(engine, module, image, mode)
                for line in lines:
                    oid, path = line.split("  ", 1)
                    content = core.get(path.encode())
                    actual = hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
                    if actual != oid:
                        print(f"{build}, {name}, mode {mode}: {path} is {actual}, not {oid}", file=sys.stderr)
                        return 1
                    count += 1
    print(f"wasmtime read {count} files right")
    return 0


if __name__ == "__main__":
    sys.exit(main())
