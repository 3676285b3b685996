/** What can be compared: images, and commits of git repositories, of which an image is made. */
import { statSync } from "node:fs";
import { join } from "node:path";
import type { Volume } from "../../src/index.js";
import { withTemporaryFolder } from "../../src/node/temporary-folder.js";
import { type ImageValues, openImage } from "../cli/image-options.js";
import { note } from "../cli/messages.js";
import { ProgressLine } from "../cli/progress.js";
import { describeProgress, progressStep } from "../output/make-notes.js";

/** A commit of a repository. */
export interface Revision {
  repository: string;
  ref: string;
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true;
}

/** Addresses that only git knows: by their scheme, or by their name. */
function isRepositoryAddress(address: string): boolean {
  return /^(?:ssh|git):\/\//i.test(address) || (address.includes(":") && /\.git\/?$/.test(address));
}

/** The commit that an argument names: `REPOSITORY@REF`; undefined for an image. */
export function parseRevision(argument: string): Revision | undefined {
  if (isFile(argument)) return undefined;
  for (let at = argument.indexOf("@", 1); at > 0; at = argument.indexOf("@", at + 1)) {
    const repository = argument.slice(0, at);
    const ref = argument.slice(at + 1);
    if (ref !== "" && (isDirectory(repository) || isRepositoryAddress(repository)))
      return { repository, ref };
  }
  return undefined;
}

/**
 * Opens what an argument names, for the time that it is used.
 * @param values of `IMAGE_OPTIONS`
 */
export async function withRevision<T>(
  argument: string,
  values: ImageValues,
  signal: AbortSignal,
  use: (volume: Volume) => Promise<T>,
): Promise<T> {
  const opened = async (image: string, options: ImageValues): Promise<T> => {
    const volume = await openImage(image, options);
    try {
      return await use(volume);
    } finally {
      await volume.close();
    }
  };
  const revision = parseRevision(argument);
  if (revision === undefined) return opened(argument, values);
  return withTemporaryFolder(async (folder) => {
    const image = join(folder, "image");
    // Most comparisons are of images, and do without it.
    const { make } = await import("../../src/make/index.js");
    const progress = new ProgressLine();
    await make(revision.repository, image, {
      ref: revision.ref,
      signal,
      onProgress: (step) => progress.update(() => describeProgress(step), progressStep(step)),
      onNotice: (text) => {
        progress.clear();
        note(text);
      },
    }).finally(() => progress.clear());
    // The options are for images at URLs, and how they are read: here is a file of our own.
    return opened(image, {});
  });
}
