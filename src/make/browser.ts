/** `docteur/make` in browsers: images of files in memory. Nothing that this reaches needs Node. */
export { type MemoryImage, type MemoryOptions, type MemoryProgress, makeImage } from "./memory.js";
export type { FileContent, MemoryFile, MemoryFiles } from "./source/memory.js";
