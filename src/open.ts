/** Opens an image from any kind of source, with the core that this package carries. */
import { compileCore } from "./core/compile-core.js";
import type { ImageSource } from "./devices/open.js";
import { type OpenOptions, openWith } from "./opening.js";
import type { Volume } from "./volume.js";

/**
 * Opens an image and mounts it.
 * @param source a path or a URL, the image's bytes, or an object that gives them: docs/DEVICES.md. The volume owns it:
 *   a source that can be closed is closed with the volume
 * @throws DocteurError if the source cannot be read or is not a sound image
 * @example const volume = await open("https://example.org/disk.img"); const readme = await volume.get("/README.md");
 *   await volume.close();
 */
export function open(source: ImageSource, options?: OpenOptions): Promise<Volume> {
  return openWith(compileCore, source, options);
}
