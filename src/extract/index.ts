/**
 * `docteur/extract`: the files of an image in a directory, or as an archive. For Node.
 * @module docteur/extract
 */
export { type ArchiveFormat, archive } from "./archive.js";
export { type ExtractOptions, type ExtractProgress, type ExtractSummary, extract } from "./extract.js";
export type { SelectOptions } from "./options.js";
