"""Runs the WASI build of the guest `simple` under wasmtime and compares what it prints.

usage: wasi_wasmtime.py SIMPLE.wasi.wasm IMAGE FILENAME EXPECTED

FILENAME is the path inside the image, EXPECTED a file on the host with the same content.
"""

import os
import sys
import tempfile

from wasmtime import Engine, ExitTrap, Linker, Module, Store, WasiConfig


def run(module_path, image, arguments):
    """Runs the guest with the image's folder preopened; its exit status, standard output and error."""
    engine = Engine()
    store = Store(engine)
    linker = Linker(engine)
    linker.define_wasi()
    wasi = WasiConfig()
    wasi.argv = ["simple.wasi.wasm", *arguments]
    wasi.preopen_dir(os.path.dirname(os.path.abspath(image)), ".")
    with tempfile.TemporaryDirectory() as folder:
        out, err = os.path.join(folder, "out"), os.path.join(folder, "err")
        wasi.stdout_file = out
        wasi.stderr_file = err
        store.set_wasi(wasi)
        instance = linker.instantiate(store, Module.from_file(engine, module_path))
        try:
            instance.exports(store)["_start"](store)
            status = 0
        except ExitTrap as trap:
            status = trap.code
        del store
        with open(out, "rb") as stdout, open(err, "rb") as stderr:
            return status, stdout.read(), stderr.read()


def check(what, actual, expected):
    if actual != expected:
        sys.exit(f"wasi_wasmtime: {what}: got {actual!r:.200}, expected {expected!r:.200}")


def main(module_path, image, filename, expected_path):
    block = f"--block:docteur={os.path.basename(image)}"
    with open(expected_path, "rb") as file:
        expected = file.read()
    check("content", run(module_path, image, [block, "--filename", filename]), (0, expected, b""))
    check(
        "a file that is not there",
        run(module_path, image, [block, "--filename", "/no/such/file"]),
        (1, b"Error: /no/such/file not found.\n", b""),
    )
    check(
        "an image that is not there",
        run(module_path, image, ["--block:docteur=no-such.img", "--filename", filename]),
        (1, b"", b"solo5-wasm: Could not open block device: no-such.img: no such file or directory\n"),
    )
    print(f"wasi_wasmtime: {filename}: {len(expected)} bytes, identical")


if __name__ == "__main__":
    if len(sys.argv) != 5:
        sys.exit(__doc__)
    main(*sys.argv[1:])
