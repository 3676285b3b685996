/** A thread that runs Python on an image, which it mounts at /image. It waits for the image's bytes, synchronously. */
import { parentPort, workerData } from "node:worker_threads";
import { createFileSystemType, type EmscriptenFS } from "../../src/emscripten/index.js";
import { openSync } from "../../src/sync/index.js";
import { importFrom } from "./embedded.js";

/** What the thread is given, and what it answers: JSON. */
export interface PythonJob {
  /** The image: a URL or its bytes. */
  source: string | Uint8Array;
  /** Its last expression is a string, the answer. */
  code: string;
}

interface Python {
  FS: EmscriptenFS & {
    mkdirTree(path: string): void;
    mount(type: object, options: object, path: string): void;
    unmount(path: string): void;
  };
  runPython(code: string): string;
}

const { source, code } = workerData as PythonJob;
const { loadPyodide } = await importFrom<{ loadPyodide(): Promise<Python> }>(
  "libraries",
  "pyodide/pyodide.mjs",
);
const python = await loadPyodide();
const volume = openSync(source, { pageSize: 4096 });
python.FS.mkdirTree("/image");
python.FS.mount(createFileSystemType(python.FS, volume), {}, "/image");
const answer = python.runPython(code);
python.FS.unmount("/image");
volume.close();
parentPort!.postMessage(answer);
