/**
 * The reader for guests in C and other languages: the functions that `guest/c/docteur.h` declares. The build makes an
 * object file of it, `docteur.o`, which a linker adds to a guest.
 */
import { cacheAlloc } from "../../asm/objects/cache";
import { heapFree } from "../../asm/base/heap";
import { result } from "../../asm/volume/volume";
import { volumeMount } from "./volume";

export {
  volumeList as docteur_list,
  volumeObject as docteur_object,
  volumeRead as docteur_read,
  volumeStat as docteur_stat,
} from "./volume";
export { infoPtr as docteur_info } from "../../asm/volume/volume";

/** The end of the static data. The build reads it. */
export const staticEnd: usize = __heap_base;

/**
 * See `volumeMount`.
 * @param device u64 handle, u64 capacity and u64 block size, in bytes, as `block_acquire` wrote them
 */
export function docteur_mount(device: usize, mode: u32, memoryLimit: u32, proof: u32, commit: usize): i32 {
  const capacity = load<u64>(device, 8);
  const blockSize = load<u64>(device, 16);
  return volumeMount(load<u64>(device), capacity, blockSize, mode, memoryLimit, proof, commit);
}

/** The result struct of docs/ABI.md, which the last operation filled in. */
export function docteur_result(): usize {
  return changetype<usize>(result());
}

/** Memory for the guest, from the reader's share, until the next `docteur_mount`; 0 where there is none. */
export function docteur_alloc(size: u32): usize {
  return cacheAlloc(size);
}

/** Gives back what `docteur_alloc` returned. */
export function docteur_free(ptr: usize): void {
  heapFree(ptr);
}
