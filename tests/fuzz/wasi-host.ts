/**
 * Fuzzes the guest with a host that lies in every call, of WASI's or of Solo5's: it never traps, never calls without end, and what it
 * prints with status 0 is the file that was asked for, to the last byte.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { runUnderTender } from "../support/hostile-tender.js";
import { runUnderLies } from "../support/hostile-wasi-host.js";
import { guestPath } from "../support/programs.js";
import { richImage } from "../support/rich-image.js";
import type { Target } from "./target.js";

const MODES = ["light", "fast", "analyze"];
const STATUSES = [0, 1, 4, 8, 141];

/** A case is one run of the guest: by turns as a WASI command and under a tender. */
export const wasiHost: Target = async () => {
  const { image, files } = richImage(150_000);
  const paths = [...files.keys()];
  const guest = new WebAssembly.Module(readFileSync(guestPath("simple")));
  const modules = ["simple.wasi", "simple.wasi.simd"].map(
    (name) => new WebAssembly.Module(readFileSync(guestPath(name))),
  );
  return async ({ random, index, keep, count }) => {
    const path = paths[random(paths.length)]!;
    const mode = MODES[index % 3]!;
    keep(Buffer.from(`${mode} ${path}`));
    const every = [5, 20, 100, 500][random(4)]!;
    const isWasi = index % 4 !== 3;
    const { status, stdout, lies } = isWasi
      ? runUnderLies(modules[index % 2]!, {
          args: ["--block:docteur=disk.img", "--mode", mode, `--filename=${path}`],
          disk: image,
          random,
          every,
        })
      : runUnderTender(guest, { cmdline: `--mode ${mode} "--filename=${path}"`, disk: image, random, every });
    const told = lies.join("; ");
    assert.ok(STATUSES.includes(status), `status ${status}: ${told}`);
    // Other arguments may ask for something else.
    const isAsked = !lies.some((lie) => /^(arg|pointer|no terminator|cmdline)/.test(lie));
    if (status === 0 && isAsked) assert.ok(files.get(path)!.equals(stdout), `wrong bytes: ${told}`);
    count(`${isWasi ? "WASI" : "tender"}: status ${status}`);
    if (status === 0 && lies.length > 0) count("right despite lies");
  };
};
