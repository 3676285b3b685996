"""Reads docteur images: hosts docteur's library core, a WebAssembly module, in wasmtime.

    >>> core = Core.load("core.simd.wasm")
    >>> root = core.open(Path("disk.img").read_bytes()).root
    >>> (root / "docs" / "README.md").read_text()

`ImagePath` is a `Traversable`, as `importlib.resources.files` gives them, with names of `pathlib`'s besides.
docs/ABI.md describes the core's interface.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.resources.abc import Traversable
from pathlib import Path, PurePosixPath
from typing import IO, Any

from wasmtime import Engine, Func, FuncType, Instance, Module, Store, ValType

BLOCK_SIZE = 512
PIECE_SIZE = 1 << 20

OK, EINVAL, DEVICE_FAILED = 0, 2, 3
FOLLOW, SIZES = 1, 4

MODE_LIGHT, MODE_FAST, MODE_ANALYZE = range(3)

DIRECTORY, FILE, EXECUTABLE, SYMLINK, SUBMODULE_KIND = range(1, 6)


class DocteurError(Exception):
    """A status other than 0. docs/ABI.md says what each means."""

    def __init__(self, status: int, path: str) -> None:
        super().__init__(f"{path}: status {status}")
        self.status = status


# Statuses that are exceptions of Python's own: not found, a directory, not a directory, in a submodule.
EXCEPTIONS = {16: FileNotFoundError, 17: IsADirectoryError, 18: NotADirectoryError, 20: FileNotFoundError}


@dataclass(frozen=True)
class Result:
    """The fields of the core's result struct that this host uses."""

    kind: int
    mode: int
    size: int
    data: int
    length: int
    count: int

    @classmethod
    def unpack(cls, data: bytes) -> Result:
        kind, mode, size, _offset, pointer, length, count = struct.unpack_from("<IIQQIII", data)
        return cls(kind, mode, size, pointer, length, count)


class Core:
    """The core, compiled once for any number of images."""

    def __init__(self, wasm: bytes) -> None:
        self.engine = Engine()
        self.module = Module(self.engine, wasm)

    @classmethod
    def load(cls, path: str | Path) -> Core:
        return cls(Path(path).read_bytes())

    def open(self, image: bytes | memoryview, mode: int = MODE_LIGHT) -> Volume:
        """Opens an image in memory; an `mmap` is such, too."""
        view = memoryview(image)
        return Volume(self, lambda offset, size: view[offset : offset + size], len(view), mode)


class Volume:
    """An open image, in an instance of its own. Only one thread at a time may use it."""

    def __init__(self, core: Core, read: Callable[[int, int], bytes | memoryview], capacity: int, mode: int) -> None:
        self._read_device = read
        self._store = Store(core.engine)
        i32, i64 = ValType.i32(), ValType.i64()
        block_read = Func(self._store, FuncType([i64, i64, i32, i32], [i32]), self._block_read)
        self._exports = Instance(self._store, core.module, [block_read]).exports(self._store)
        self._memory = self._exports["memory"]
        self._check(self._call("mountBegin", 0, capacity, BLOCK_SIZE, mode, 0), "mountBegin")
        # The device answers at once, and no read has to be waited for: one handle is enough.
        self._handle = self._call("operation")
        self._check(self._call("mount", self._handle), "mount")
        info = self._call("info")
        self.commit = bytes(self._bytes(info + 8, 20)).hex()

    @property
    def root(self) -> ImagePath:
        return ImagePath(self, PurePosixPath("/"))

    def read(self, path: str, position: int, count: int) -> bytes:
        """A piece of a file. It is empty only at the end."""
        result = self._on_path("read", path, FOLLOW, position, count)
        return bytes(self._bytes(result.data, result.length))

    def stat(self, path: str, flags: int = FOLLOW | SIZES) -> Result:
        return self._on_path("stat", path, flags)

    def list(self, path: str) -> list[str]:
        """The names in a directory."""
        result = self._on_path("list", path, FOLLOW, 0, 0, 0)
        pointers = struct.unpack(f"<{result.count}I", self._bytes(result.data, 4 * result.count))
        return [self._entry_name(pointer) for pointer in pointers]

    def _entry_name(self, pointer: int) -> str:
        """The name of an entry: a mode in octal digits, a space, the name, a NUL, and an id."""
        text = b""
        while b"\0" not in text:
            text += self._bytes(pointer + len(text), 28)
        name = text[text.index(b" ") + 1 : text.index(b"\0")]
        return name.decode("utf-8", "surrogateescape")

    def _block_read(self, _handle: int, offset: int, target: int, size: int) -> int:
        """The core's one import."""
        try:
            data = self._read_device(offset, size)
        except OSError:
            return DEVICE_FAILED
        if len(data) != size:
            return DEVICE_FAILED
        self._memory.write(self._store, data, target & 0xFFFFFFFF)
        return OK

    def _call(self, name: str, *arguments: int) -> int:
        """Calls an export. i32 of WebAssembly are signed in wasmtime."""
        return self._exports[name](self._store, *arguments) & 0xFFFFFFFF

    def _on_path(self, name: str, path: str, *rest: int) -> Result:
        """Runs an operation on a path. What the result points to is valid until the next one."""
        text = path.encode("utf-8", "surrogateescape")
        source = self._call("input")
        if len(text) > 8192:
            raise FileNotFoundError(path)
        self._memory.write(self._store, text, source)
        self._check(self._call(name, self._handle, source, len(text), *rest), path)
        return Result.unpack(self._bytes(self._call("result", self._handle), 80))

    def _bytes(self, pointer: int, size: int) -> bytes | bytearray:
        return self._memory.read(self._store, pointer, pointer + size)

    @staticmethod
    def _check(status: int, path: str) -> None:
        if status != OK:
            raise EXCEPTIONS[status](path) if status in EXCEPTIONS else DocteurError(status, path)


class ImageFile(io.RawIOBase):
    """An open file. Only what is read is inflated and held."""

    def __init__(self, volume: Volume, path: str, size: int) -> None:
        super().__init__()
        self._volume, self._path, self._size, self._position = volume, path, size, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        if base + offset < 0:
            raise ValueError("a negative position")
        self._position = base + offset
        return self._position

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer).cast("B")
        piece = self._volume.read(self._path, self._position, min(len(view), PIECE_SIZE))
        view[: len(piece)] = piece
        self._position += len(piece)
        return len(piece)


class ImagePath(Traversable):
    """A path in an image."""

    def __init__(self, volume: Volume, path: PurePosixPath) -> None:
        self._volume, self._path = volume, path

    @property
    def name(self) -> str:
        return self._path.name

    @property
    def parent(self) -> ImagePath:
        return ImagePath(self._volume, self._path.parent)

    def __str__(self) -> str:
        return str(self._path)

    def __repr__(self) -> str:
        return f"ImagePath({str(self)!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ImagePath) and (self._volume, self._path) == (other._volume, other._path)

    def __hash__(self) -> int:
        return hash(self._path)

    def joinpath(self, *descendants: str) -> ImagePath:
        return ImagePath(self._volume, self._path.joinpath(*descendants))

    def __truediv__(self, child: str) -> ImagePath:
        return self.joinpath(child)

    def _kind(self) -> int | None:
        try:
            return self._volume.stat(str(self), FOLLOW).kind
        except FileNotFoundError:
            return None

    def exists(self) -> bool:
        return self._kind() is not None

    def is_dir(self) -> bool:
        return self._kind() in (DIRECTORY, SUBMODULE_KIND)

    def is_file(self) -> bool:
        return self._kind() in (FILE, EXECUTABLE)

    def iterdir(self) -> Iterator[ImagePath]:
        # What a submodule holds is not in the image.
        names = [] if self._kind() == SUBMODULE_KIND else self._volume.list(str(self))
        return (self / name for name in names)

    def rglob_files(self) -> Iterator[ImagePath]:
        """Every file below this directory. Symbolic links to directories are not followed."""
        for child in self.iterdir():
            if child.is_file():
                yield child
            elif child.is_dir() and not child._is_link():
                yield from child.rglob_files()

    def _is_link(self) -> bool:
        # Without FOLLOW, the core follows no link of the path: it is not found behind one.
        try:
            return self._volume.stat(str(self), 0).kind == SYMLINK
        except FileNotFoundError:
            return False

    def open(self, mode: str = "r", *args: Any, **kwargs: Any) -> IO[Any]:
        if mode not in ("r", "rt", "rb"):
            raise ValueError(f"mode {mode!r}: an image is read-only")
        result = self._volume.stat(str(self))
        if result.kind not in (FILE, EXECUTABLE):
            raise IsADirectoryError(str(self))
        stream = io.BufferedReader(ImageFile(self._volume, str(self), result.size), PIECE_SIZE)
        return stream if mode == "rb" else io.TextIOWrapper(stream, *args, **kwargs)

    def read_bytes(self) -> bytes:
        with self.open("rb") as stream:
            return stream.read()

    def read_text(self, encoding: str | None = None) -> str:
        return self.read_bytes().decode(encoding or "utf-8")
