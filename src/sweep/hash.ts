/** Digests of an image's files. */
import type { Volume } from "../volume.js";
import { Sweep, type SweepOptions } from "./sweep.js";

/** Which digests, and how they are made. */
export interface HashJob extends Pick<SweepOptions, "source" | "open" | "jobs" | "signal"> {
  /** As `createHash` of node:crypto names it. */
  algorithm: string;
}

/** A file, and the digest of its content. */
export interface FileDigest {
  /** Absolute. */
  path: Buffer;
  /** Hexadecimal digits. */
  digest: string;
}

/**
 * Hashes all files. Each blob is read once, however often it stands in the image.
 * @param volume stays open
 * @returns files in the order of git's index
 * @throws DocteurError errors of the image
 */
export async function* hashFiles(volume: Volume, job: HashJob): AsyncGenerator<FileDigest, void, undefined> {
  const { algorithm, ...how } = job;
  const sweep = await Sweep.begin(volume, { ...how, work: { kind: "hash", algorithm } });
  try {
    await sweep.add("/");
    const digests = new Map<number, string>();
    await sweep.run((blob, result) => {
      if (result !== "large") digests.set(blob, result as string);
      return true;
    });
    for await (const file of sweep.files(() => true)) {
      let digest = digests.get(file.blob);
      if (digest === undefined) {
        for await (const result of sweep.workOn(file)) digest = result as string;
        digests.set(file.blob, digest!);
      }
      yield { path: file.path, digest: digest! };
    }
  } finally {
    await sweep.close();
  }
}
