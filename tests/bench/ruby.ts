/** Ruby, compiled for WASI, started to `require "json"`: with its library in an image, and with its library inside. */
import { statSync } from "node:fs";
import { MemoryDevice } from "../../src/index.js";
import { makeImage } from "../../src/make/index.js";
import { openSync } from "../../src/sync/index.js";
import { preopen } from "../../src/wasi/index.js";
import { pathFrom, whyNoPackages } from "../support/embedded.js";
import { RUBY, standardLibrary, startRuby, WHOLE_RUBY } from "../support/ruby.js";
import type { Benchmark } from "./benchmark.js";
import { alternate, createRow, timed } from "./measure.js";

/** A device that counts what is read of it. */
class CountedDevice extends MemoryDevice {
  bytes = 0;

  override read(offset: number, target: Uint8Array): ReturnType<MemoryDevice["read"]> {
    this.bytes += target.length;
    return super.read(offset, target);
  }
}

const measureRuby: Benchmark = async ({ signal, note }) => {
  const missing = whyNoPackages("libraries");
  if (missing !== undefined) {
    note(`ruby-start: ${missing}`);
    return [];
  }
  const { image } = await makeImage(await standardLibrary());
  let read = 0;
  const [ours, peer] = await alternate(
    [
      () =>
        timed(async () => {
          const device = new CountedDevice(image);
          const ruby = await startRuby(RUBY, preopen(openSync(device), "/lib"));
          ruby.eval('$LOAD_PATH.unshift("/lib", "/lib/wasm32-wasi"); require "json"');
          read = device.bytes;
        }),
      () => timed(async () => (await startRuby(WHOLE_RUBY)).eval('require "json"')),
    ],
    signal,
  );
  const sizeOf = (name: string): number => statSync(pathFrom("libraries", name)).size;
  const row = (unit: string, ourValue: number, peerValue: number) =>
    createRow(
      {
        name: "ruby-start",
        corpus: "Ruby 3.4",
        unit,
        ours: ourValue,
        peer: peerValue,
        peerName: "ruby+stdlib.wasm",
      },
      "less",
    );
  return [
    row("ms to a loaded library", ours!, peer!),
    row("bytes of modules and images", sizeOf(RUBY) + read, sizeOf(WHOLE_RUBY)),
  ];
};

export const RUBY_START: Record<string, Benchmark> = { "ruby-start": measureRuby };
