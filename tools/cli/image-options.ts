/** The options of every command that reads an image, and the image opened as they say. */
import { type Mode, type OpenOptions, open, type Proof, type Volume } from "../../src/index.js";
import { parseBlockSize, parseMemory, parseWord, usageError } from "./arguments.js";
import { DEVICE_OPTIONS, DEVICE_ROWS, type DeviceValues, deviceOptions } from "./device-options.js";
import { note } from "./messages.js";
import { type OptionRow, optionHelp } from "./option-help.js";

const PROOFS: readonly Proof[] = ["none", "crc", "oid"];
const MODES: readonly Mode[] = ["light", "fast", "analyze"];

/** For `parse`. */
export const IMAGE_OPTIONS = {
  bs: { type: "string" },
  mode: { type: "string", choices: MODES },
  memory: { type: "string" },
  proof: { type: "string", choices: PROOFS },
  collisions: { type: "boolean" },
  commit: { type: "string" },
  ...DEVICE_OPTIONS,
} as const;

const IMAGES_ROWS: readonly OptionRow[] = [
  ["--bs BYTES", "read the image in blocks of this size: a power of two, at least 512 (default: 512)"],
  [
    "--mode MODE",
    "light: read the directories on the way (default); fast: read all directories first; analyze: do not use the IDX",
  ],
  [
    "--memory SIZE",
    "cap of the reader's memory, caches and all, as in 64M or 1G; a number alone is mebibytes (default: 32 for caches, more only for larger objects)",
  ],
  [
    "--proof HOW",
    "none: trust the image (default); crc: compare objects with the checksums of the IDX; oid: hash every object",
  ],
  ["--collisions", "hash every object, and refuse those of a known SHA-1 collision attack"],
  ...DEVICE_ROWS,
];

/** For `--help` of commands that read several images: all but `--commit`. @param column the start of the texts */
export function imagesHelp(column: number): string {
  return optionHelp(column, IMAGES_ROWS);
}

/** For `--help`. @param column the start of the texts */
export function imageHelp(column: number): string {
  const commit =
    "fail unless the image holds the commit OID, and prove by hashes that all output is part of that commit";
  return optionHelp(column, [...IMAGES_ROWS, ["--commit OID", commit]]);
}

/** The values of `IMAGE_OPTIONS`. */
export interface ImageValues extends DeviceValues {
  bs?: string;
  mode?: string;
  memory?: string;
  proof?: string;
  collisions?: boolean;
  commit?: string;
}

/** The options of `open`. @throws DocteurError `Usage` for an option without effect */
export function imageOptions(values: ImageValues): OpenOptions {
  const mode = parseWord("mode", values.mode ?? "light", MODES);
  const { collisions = false, commit } = values;
  const proof = values.proof === undefined ? undefined : parseWord("proof", values.proof, PROOFS);
  if (collisions && proof !== undefined && proof !== "oid")
    throw usageError(`--collisions goes with --proof oid, not ${proof}`);
  if (commit !== undefined && !/^[0-9a-f]{40}$/i.test(commit))
    throw usageError(`not a commit's id: ${commit}`, "40 hexadecimal digits");
  return {
    ...deviceOptions(values),
    blockSize: parseBlockSize(values.bs),
    mode,
    proof,
    collisions,
    commit,
    memoryLimit: parseMemory(values.memory),
  };
}

/** Opens an image. @throws DocteurError the errors of `imageOptions` and of `open` */
export async function openImage(image: string, values: ImageValues): Promise<Volume> {
  const volume = await open(image, imageOptions(values));
  const told = LAYOUT_NOTES[volume.layout];
  if (told !== undefined) note(`the image's layout section is ${told}: directories are read instead`);
  return volume;
}

/** What is told of a layout section that is not used, although the image has one. */
const LAYOUT_NOTES: Partial<Record<Volume["layout"], string>> = {
  unknown: "of a version that this docteur does not read",
  damaged: "damaged",
};
