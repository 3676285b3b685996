/** Wasm for Node, whose own inflater is faster, and which has files. */
import { inflateRawSync } from "node:zlib";
import { readOwn } from "../../node/own-files.js";

/** The bytes of a module. @param text as `src/wasm/inlined/text.ts` has it */
export function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(inflateRawSync(Buffer.from(text.slice(text.indexOf(":") + 1), "base64")));
}

/**
 * Reads a build.
 * @param beside a build of the module that bundlers may have copied
 * @param name of the build's file
 */
export function readBuild(beside: URL, name: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(readOwn(new URL(name, beside)));
}
