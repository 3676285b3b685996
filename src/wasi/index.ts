/**
 * `docteur/wasi`: an image as a directory that WASI preview 1 programs find open.
 * @module docteur/wasi
 */
import { createFs } from "../fs/browser.js";
import type { VolumeSync } from "../sync/volume.js";
import { PreopenedImage } from "./directory.js";

export { ImageDirectory, PreopenedImage } from "./directory.js";
export { ImageFile } from "./file.js";

/**
 * Makes an image a directory for a program: one of the descriptors of `WASI` in `@bjorn3/browser_wasi_shim`, which must
 * be installed. Programs read what they open, nothing before. Every change is refused with `EROFS`. Links are followed
 * within the image: their absolute targets begin at its root. Names that are not UTF-8 cannot be opened.
 * @param volume an image from `docteur/sync`
 * @param name the path at which the program finds the image
 * @example
 * const wasi = new WASI(["ruby"], [], [stdin, stdout, stderr, preopen(openSync("ruby.img"), "/usr")]);
 */
export function preopen(volume: VolumeSync, name = "/"): PreopenedImage {
  return new PreopenedImage(createFs(volume), name);
}
