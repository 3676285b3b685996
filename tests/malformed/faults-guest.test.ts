/**
 * The guest `simple` over a device that fails at the n-th read for every n, in every way, under the tender and as a WASI command, and in memories
 * of every size that it can have: its exit status says what happened, and what it prints of the file is right as far as it goes.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { capModule } from "../../src/tender/cap-module.js";
import { loadGuest, run } from "../../src/tender/index.js";
import { PAGE, readModuleShape } from "../../src/tender/wasm-module.js";
import { EXIT } from "../../tools/cli/exit.js";
import { FAILURES, type Fault, FaultyDevice, LIES } from "../support/faulty-device.js";
import { guestPath } from "../support/programs.js";
import { richImage } from "../support/rich-image.js";
import { runWasi } from "../support/wasi-host.js";

const { image, files } = richImage(150_000);
const MODES = ["light", "fast", "analyze"];
/** A delta, a symlink, and what is streamed. */
const PATHS = ["/docs/ref", "/link", "/large/whole"];

interface Outcome {
  status: number;
  output: Buffer;
}
/** Runs `simple` with these arguments. */
type Runner = (device: FaultyDevice, args: string[]) => Outcome;

const ARGS = (mode: string, path: string): string[] => ["--mode", mode, "--filename", path];

function tender(name: string, memoryLimit?: number): Runner {
  const guest = loadGuest(readFileSync(guestPath(name)), memoryLimit);
  return (device, args) => {
    const chunks: Uint8Array[] = [];
    const outcome = run(guest, {
      args,
      devices: { docteur: device },
      console: (bytes) => chunks.push(bytes),
    });
    assert.equal(outcome.cause, "exit", outcome.reason);
    return { status: outcome.status, output: Buffer.concat(chunks) };
  };
}

function wasi(name: string, pages = 65536): Runner {
  const bytes = readFileSync(guestPath(name));
  const capped = capModule(bytes, readModuleShape(bytes), pages * PAGE);
  const module = new WebAssembly.Module(capped as BufferSource);
  return (disk, args) => {
    const all = ["--block:docteur=disk.img", ...args].map((arg) => Buffer.from(arg));
    const { status, stdout, stderr } = runWasi(module, { args: all, disk, readMax: 40_000 });
    assert.equal(stderr.toString(), "");
    return { status, output: stdout };
  };
}

/** The file, or the beginning of it and one line about what went wrong. */
function assertOutcome({ status, output }: Outcome, path: string, statuses: number[], what: string): void {
  const content = files.get(path)!;
  assert.ok(statuses.includes(status), `${what}: status ${status}: ${output.subarray(-200)}`);
  if (status === EXIT.ok) {
    assert.ok(content.equals(output), what);
    return;
  }
  const line = output.lastIndexOf(`Error: ${path}`);
  assert.ok(line >= 0, `${what}: ${output.subarray(-200)}`);
  assert.match(
    output.subarray(line).toString(),
    status === EXIT.damaged
      ? /: the image is damaged: [^\n]+\.\n$/
      : /: (the device failed: [^\n]+|out of memory)\.\n$/,
  );
  const written = output.subarray(0, Math.max(0, line - 1));
  assert.ok(content.subarray(0, written.length).equals(written), `${what}: what was printed before`);
}

/** A guest's host takes whatever is neither OK nor EINVAL for a failure; to WASI all of them are the same. */
const FAULTS: readonly [Fault, number[]][] = [
  ...FAILURES.filter(({ name }) => ["EUNSPEC", "EINVAL", "no result", "throws"].includes(name)).map(
    (fault): [Fault, number[]] => [fault, [EXIT.io]],
  ),
  ...LIES.map((fault): [Fault, number[]] => [fault, [EXIT.ok, EXIT.damaged]]),
];

for (const name of ["simple", "simple.simd", "simple.wasi", "simple.wasi.simd"])
  test(`${name}: every read fails in every way`, () => {
    const runner = name.includes("wasi") ? wasi(name) : tender(name);
    let failures = 0;
    for (const [index, path] of PATHS.entries()) {
      const args = ARGS(MODES[index % 3]!, path);
      const probe = new FaultyDevice(image);
      assertOutcome(runner(probe, args), path, [EXIT.ok], "sound");
      for (let at = 1; at <= probe.reads; at++)
        for (const [fault, statuses] of FAULTS) {
          const device = new FaultyDevice(image);
          device.failAt(at, fault);
          const what = `${args.join(" ")}, read ${at}, ${fault.name}`;
          const outcome = runner(device, args);
          assert.ok(device.heal(), what);
          assertOutcome(outcome, path, statuses, what);
          if (outcome.status !== EXIT.ok) failures++;
        }
      // The host is as it was.
      assertOutcome(runner(new FaultyDevice(image), args), path, [EXIT.ok], "sound, again");
    }
    assert.ok(failures > 80, String(failures));
  });

for (const name of ["simple", "simple.wasi"])
  test(`${name}: every growth of its memory refused`, () => {
    // A delta and its base, which take more than the caches begin with.
    const { image: large, files: contents } = richImage(2_500_000);
    const args = ARGS("light", "/large/delta");
    const bytes = readFileSync(guestPath(name));
    const { minimum } = readModuleShape(bytes).memory!;
    const seen = new Set<number>();
    let most = minimum;
    for (let done = false; !done && most < 1000; most++) {
      const runner = name === "simple" ? tender(name, most * PAGE) : wasi(name, most);
      const { status, output } = runner(new FaultyDevice(large), args);
      seen.add(status);
      done = status === EXIT.ok;
      if (done) assert.ok(contents.get("/large/delta")!.equals(output));
      else assert.equal(output.toString(), "Error: /large/delta: out of memory.\n", `${most} pages`);
    }
    assert.deepEqual(seen, new Set([EXIT.io, EXIT.ok]));
    assert.ok(most > minimum + 70, `${most} pages`);
  });
