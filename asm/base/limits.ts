/**
 * Every limit of the core, by name. An embedder sets the memory limit when it mounts a volume; its default is
 * here.
 */
export namespace Limit {
  /** Bytes of a path as it is given, and after `.` and `..` are resolved. */
  export const PATH: u32 = 4096;
  /** Bytes of one name in a tree: what file systems and git's own checkout take. */
  export const NAME: u32 = 4096;
  /** Path components, and so nested trees. */
  export const TREE_DEPTH: u32 = 512;
  /** Deltas between an object and its base: the most that git's own `--depth` takes. */
  export const CHAIN_DEPTH: u32 = 4095;
  /** Symlinks followed while one path is resolved (Linux' ELOOP). */
  export const SYMLINKS: u32 = 40;
  /** Inflated bytes of one object. Objects beyond this are refused, larger than memory are streamed. */
  export const OBJECT_SIZE: u64 = 1 << 40;
  /** Bytes that the caches make the instance's memory grow to by default. */
  export const MEMORY: u32 = 32 << 20;
  /** Bytes that large objects, and the whole index in the modes that keep one, can make it grow to by default. */
  export const MEMORY_MAX: u32 = 1 << 30;
  /** The smallest cap that is accepted. */
  export const MEMORY_MIN: u32 = 2 << 20;
}
