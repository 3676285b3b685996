/**
 * The conditions of sha1dc-vectors.ts as code, for four blocks at once: what the table's loop reads is known here
 * when it is compiled. The table still tells which vectors a condition rules out. A test holds the two against each other.
 */
import { conditions } from "./sha1dc-vectors";

/** The schedules of four blocks: word t of all of them, then word t + 1. The conditions look at 65 words of 80. */
export const schedules: usize = memory.data(80 * 16, 16);

/** The sign of each lane: whether bit i of word t and bit j of word u differ. */
// @ts-ignore: decorator
@inline
function broken(t: usize, u: usize, i: i32, j: i32): v128 {
  const x = v128.load(schedules + t * 16);
  const y = v128.load(schedules + u * 16);
  if (i == j) return i32x4.shr_s(i32x4.shl(v128.xor(x, y), 31 - i), 31);
  return i32x4.shr_s(v128.xor(i32x4.shl(x, 31 - i), i32x4.shl(y, 31 - j)), 31);
}

/** Rules out the vectors of the table's condition `index`, which wants two bits to be equal, where they differ. */
// @ts-ignore: decorator
@inline
function equal(ruled: v128, index: usize, t: usize, u: usize, i: i32, j: i32): v128 {
  return v128.or(ruled, v128.and(v128.load32_splat(conditions + index * 8 + 4), broken(t, u, i, j)));
}

/** The same where it wants them to differ. */
// @ts-ignore: decorator
@inline
function differ(ruled: v128, index: usize, t: usize, u: usize, i: i32, j: i32): v128 {
  return v128.or(ruled, v128.andnot(v128.load32_splat(conditions + index * 8 + 4), broken(t, u, i, j)));
}

/** Whether any block may still belong to an attack. */
// @ts-ignore: decorator
@inline
function leaves(ruled: v128): bool {
  return v128.any_true(v128.not(ruled));
}

/**
 * Holds four blocks against the conditions.
 * @param masks 16 bytes: the vectors whose conditions each block meets, u32, where this returns true
 * @returns whether any of them meets those of a vector
 */
export function lookAtFour(masks: usize): bool {
  let ruled = i32x4.splat(0);
  ruled = equal(ruled, 0, 44, 45, 29, 29);
  ruled = equal(ruled, 1, 46, 47, 29, 29);
  ruled = equal(ruled, 2, 48, 49, 29, 29);
  ruled = equal(ruled, 3, 40, 41, 29, 29);
  ruled = equal(ruled, 4, 42, 43, 29, 29);
  ruled = differ(ruled, 5, 39, 40, 1, 6);
  ruled = differ(ruled, 6, 40, 41, 1, 6);
  ruled = differ(ruled, 7, 41, 42, 1, 6);
  ruled = equal(ruled, 8, 49, 50, 29, 29);
  ruled = equal(ruled, 9, 47, 48, 29, 29);
  ruled = equal(ruled, 10, 45, 47, 6, 6);
  ruled = equal(ruled, 11, 45, 46, 29, 29);
  ruled = equal(ruled, 12, 44, 46, 6, 6);
  ruled = equal(ruled, 13, 43, 44, 29, 29);
  ruled = equal(ruled, 14, 41, 42, 29, 29);
  ruled = differ(ruled, 15, 37, 39, 4, 4);
  ruled = equal(ruled, 16, 50, 51, 29, 29);
  ruled = differ(ruled, 17, 36, 37, 1, 6);
  ruled = differ(ruled, 18, 35, 36, 1, 6);
  ruled = equal(ruled, 19, 41, 42, 6, 1);
  ruled = equal(ruled, 20, 42, 43, 6, 1);
  ruled = equal(ruled, 21, 52, 53, 29, 29);
  ruled = equal(ruled, 22, 40, 41, 6, 1);
  ruled = equal(ruled, 23, 42, 43, 29, 4);
  ruled = differ(ruled, 24, 38, 40, 4, 4);
  ruled = equal(ruled, 25, 53, 54, 29, 29);
  ruled = equal(ruled, 26, 43, 44, 29, 4);
  ruled = equal(ruled, 27, 42, 44, 6, 6);
  ruled = equal(ruled, 28, 43, 45, 6, 6);
  ruled = equal(ruled, 29, 51, 52, 29, 29);
  ruled = differ(ruled, 30, 44, 45, 1, 6);
  ruled = equal(ruled, 31, 54, 55, 29, 29);
  ruled = equal(ruled, 32, 46, 47, 6, 1);
  ruled = equal(ruled, 33, 47, 48, 6, 1);
  ruled = differ(ruled, 34, 43, 44, 4, 29);
  ruled = equal(ruled, 35, 36, 40, 4, 29);
  ruled = equal(ruled, 36, 55, 56, 29, 29);
  ruled = equal(ruled, 37, 44, 45, 29, 4);
  ruled = differ(ruled, 38, 37, 38, 1, 6);
  ruled = equal(ruled, 39, 48, 50, 6, 6);
  ruled = equal(ruled, 40, 47, 49, 6, 6);
  ruled = differ(ruled, 41, 44, 45, 4, 29);
  ruled = equal(ruled, 42, 47, 48, 29, 4);
  ruled = equal(ruled, 43, 41, 43, 4, 29);
  ruled = equal(ruled, 44, 42, 44, 4, 29);
  ruled = equal(ruled, 45, 45, 46, 6, 1);
  ruled = differ(ruled, 46, 45, 46, 1, 6);
  ruled = differ(ruled, 47, 46, 47, 1, 6);
  ruled = differ(ruled, 48, 39, 40, 4, 29);
  ruled = differ(ruled, 49, 45, 46, 4, 29);
  ruled = differ(ruled, 50, 61, 62, 2, 7);
  ruled = equal(ruled, 51, 46, 48, 6, 6);
  ruled = equal(ruled, 52, 56, 57, 29, 29);
  ruled = equal(ruled, 53, 45, 46, 29, 4);
  ruled = equal(ruled, 54, 46, 47, 29, 4);
  ruled = differ(ruled, 55, 38, 39, 1, 6);
  ruled = equal(ruled, 56, 49, 50, 29, 4);
  ruled = differ(ruled, 57, 50, 51, 1, 6);
  ruled = differ(ruled, 58, 51, 52, 1, 6);
  ruled = differ(ruled, 59, 52, 53, 1, 6);
  ruled = differ(ruled, 60, 36, 38, 4, 4);
  ruled = equal(ruled, 61, 40, 41, 29, 4);
  ruled = differ(ruled, 62, 40, 40, 4, 29);
  ruled = equal(ruled, 63, 48, 49, 29, 4);
  if (!leaves(ruled)) return false;
  ruled = equal(ruled, 64, 50, 51, 6, 1);
  ruled = equal(ruled, 65, 44, 46, 4, 29);
  ruled = differ(ruled, 66, 60, 61, 0, 5);
  ruled = differ(ruled, 67, 46, 47, 4, 29);
  ruled = equal(ruled, 68, 37, 40, 4, 29);
  ruled = equal(ruled, 69, 41, 43, 6, 6);
  ruled = equal(ruled, 70, 48, 49, 6, 1);
  ruled = equal(ruled, 71, 39, 40, 6, 1);
  ruled = equal(ruled, 72, 40, 42, 4, 29);
  ruled = differ(ruled, 73, 52, 54, 29, 29);
  ruled = equal(ruled, 74, 51, 53, 6, 6);
  ruled = equal(ruled, 75, 57, 58, 29, 29);
  ruled = equal(ruled, 76, 52, 54, 6, 6);
  ruled = equal(ruled, 77, 58, 59, 29, 29);
  ruled = equal(ruled, 78, 53, 55, 6, 6);
  ruled = equal(ruled, 79, 41, 42, 29, 4);
  if (!leaves(ruled)) return false;
  ruled = differ(ruled, 80, 50, 51, 4, 29);
  ruled = equal(ruled, 81, 43, 45, 4, 29);
  ruled = differ(ruled, 82, 41, 42, 4, 29);
  ruled = differ(ruled, 83, 63, 64, 1, 6);
  ruled = differ(ruled, 84, 61, 62, 0, 5);
  ruled = equal(ruled, 85, 40, 42, 6, 6);
  ruled = differ(ruled, 86, 47, 48, 4, 29);
  ruled = differ(ruled, 87, 62, 63, 2, 7);
  ruled = differ(ruled, 88, 63, 64, 0, 5);
  ruled = differ(ruled, 89, 63, 64, 2, 7);
  ruled = differ(ruled, 90, 42, 43, 1, 6);
  ruled = equal(ruled, 91, 49, 51, 6, 6);
  ruled = differ(ruled, 92, 47, 48, 1, 6);
  ruled = equal(ruled, 93, 45, 47, 4, 29);
  ruled = equal(ruled, 94, 53, 54, 6, 1);
  ruled = equal(ruled, 95, 46, 48, 4, 29);
  if (!leaves(ruled)) return false;
  ruled = equal(ruled, 96, 54, 55, 6, 1);
  ruled = equal(ruled, 97, 55, 56, 6, 1);
  ruled = differ(ruled, 98, 49, 50, 4, 29);
  ruled = differ(ruled, 99, 53, 55, 29, 29);
  ruled = equal(ruled, 100, 47, 49, 4, 29);
  ruled = differ(ruled, 101, 44, 46, 29, 29);
  ruled = differ(ruled, 102, 42, 43, 4, 29);
  ruled = differ(ruled, 103, 62, 63, 0, 5);
  ruled = differ(ruled, 104, 48, 49, 4, 29);
  ruled = equal(ruled, 105, 49, 50, 6, 1);
  ruled = differ(ruled, 106, 43, 44, 1, 6);
  ruled = equal(ruled, 107, 51, 52, 6, 1);
  ruled = equal(ruled, 108, 48, 50, 4, 29);
  ruled = equal(ruled, 109, 49, 51, 4, 29);
  ruled = differ(ruled, 110, 50, 52, 29, 29);
  ruled = differ(ruled, 111, 51, 53, 29, 29);
  if (!leaves(ruled)) return false;
  ruled = differ(ruled, 112, 58, 59, 0, 5);
  ruled = differ(ruled, 113, 45, 47, 29, 29);
  ruled = differ(ruled, 114, 39, 41, 4, 4);
  ruled = differ(ruled, 115, 40, 42, 4, 4);
  ruled = equal(ruled, 116, 38, 40, 4, 29);
  ruled = differ(ruled, 117, 37, 38, 4, 4);
  ruled = differ(ruled, 118, 38, 39, 4, 4);
  ruled = differ(ruled, 119, 51, 53, 4, 4);
  ruled = differ(ruled, 120, 52, 54, 4, 4);
  ruled = differ(ruled, 121, 53, 55, 4, 4);
  ruled = differ(ruled, 122, 54, 56, 4, 4);
  ruled = differ(ruled, 123, 55, 57, 4, 4);
  ruled = equal(ruled, 124, 50, 52, 4, 29);
  ruled = equal(ruled, 125, 51, 53, 4, 29);
  ruled = equal(ruled, 126, 39, 41, 4, 29);
  ruled = differ(ruled, 127, 61, 62, 1, 6);
  if (!leaves(ruled)) return false;
  ruled = differ(ruled, 128, 59, 60, 0, 5);
  ruled = differ(ruled, 129, 41, 41, 4, 29);
  ruled = differ(ruled, 130, 42, 42, 4, 29);
  ruled = differ(ruled, 131, 41, 43, 4, 4);
  ruled = equal(ruled, 132, 38, 42, 4, 29);
  ruled = equal(ruled, 133, 39, 43, 4, 29);
  ruled = differ(ruled, 134, 47, 49, 4, 4);
  ruled = differ(ruled, 135, 48, 50, 4, 4);
  ruled = differ(ruled, 136, 53, 53, 4, 29);
  ruled = differ(ruled, 137, 54, 54, 4, 29);
  ruled = differ(ruled, 138, 55, 55, 4, 29);
  ruled = differ(ruled, 139, 56, 56, 4, 29);
  ruled = differ(ruled, 140, 57, 57, 4, 29);
  ruled = equal(ruled, 141, 56, 58, 4, 29);
  ruled = equal(ruled, 142, 57, 59, 4, 29);
  ruled = equal(ruled, 143, 52, 54, 4, 29);
  ruled = equal(ruled, 144, 59, 63, 5, 30);
  ruled = differ(ruled, 145, 62, 63, 1, 6);
  ruled = differ(ruled, 146, 46, 48, 29, 29);
  ruled = differ(ruled, 147, 47, 49, 29, 29);
  ruled = differ(ruled, 148, 43, 43, 4, 29);
  ruled = differ(ruled, 149, 42, 44, 4, 4);
  ruled = differ(ruled, 150, 36, 37, 4, 4);
  ruled = differ(ruled, 151, 45, 47, 4, 4);
  ruled = differ(ruled, 152, 46, 48, 4, 4);
  ruled = differ(ruled, 153, 49, 49, 4, 29);
  ruled = differ(ruled, 154, 50, 50, 4, 29);
  ruled = differ(ruled, 155, 49, 51, 4, 4);
  ruled = differ(ruled, 156, 50, 52, 4, 4);
  ruled = differ(ruled, 157, 54, 56, 29, 29);
  ruled = differ(ruled, 158, 55, 57, 29, 29);
  ruled = differ(ruled, 159, 56, 58, 29, 29);
  ruled = differ(ruled, 160, 57, 59, 29, 29);
  ruled = differ(ruled, 161, 58, 61, 29, 29);
  ruled = equal(ruled, 162, 58, 62, 4, 29);
  ruled = equal(ruled, 163, 59, 63, 4, 29);
  ruled = equal(ruled, 164, 60, 64, 4, 29);
  ruled = equal(ruled, 165, 60, 64, 5, 30);
  ruled = differ(ruled, 166, 48, 50, 29, 29);
  ruled = differ(ruled, 167, 44, 44, 4, 29);
  ruled = differ(ruled, 168, 43, 45, 4, 4);
  ruled = equal(ruled, 169, 37, 41, 4, 29);
  ruled = differ(ruled, 170, 47, 47, 4, 29);
  ruled = differ(ruled, 171, 48, 48, 4, 29);
  ruled = differ(ruled, 172, 51, 51, 4, 29);
  ruled = differ(ruled, 173, 52, 52, 4, 29);
  ruled = equal(ruled, 174, 59, 60, 29, 29);
  ruled = differ(ruled, 175, 49, 51, 29, 29);
  ruled = differ(ruled, 176, 45, 45, 4, 29);
  ruled = differ(ruled, 177, 44, 46, 4, 4);
  ruled = equal(ruled, 178, 50, 51, 29, 4);
  ruled = equal(ruled, 179, 51, 52, 29, 4);
  ruled = differ(ruled, 180, 46, 46, 4, 29);
  ruled = differ(ruled, 181, 51, 52, 4, 29);
  ruled = differ(ruled, 182, 52, 53, 4, 29);
  if (!leaves(ruled)) return false;
  v128.store(masks, v128.not(ruled));
  return true;
}
