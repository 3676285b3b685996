/** The device over a source of ranges: the contract. */
import type { RangeSource } from "../../src/devices/range-source.js";
import { sourceContract } from "../contract/sources.js";

function memorySource(bytes: Uint8Array): RangeSource {
  return { size: bytes.length, read: async (offset, length) => bytes.slice(offset, offset + length) };
}

sourceContract("memory", memorySource);
