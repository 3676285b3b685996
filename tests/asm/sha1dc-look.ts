/** The conditions of collision attacks as code, for its test (SIMD alone). */
import { lookAtFour, schedules } from "../../asm/checksum/sha1dc-look";
export { middleOf } from "../../asm/checksum/sha1dc-try";
export { CONDITIONS_LEN, conditions, vectors } from "../../asm/checksum/sha1dc-vectors";
export { schedules };

/** Writes the vectors whose conditions each of four blocks meets. @returns whether there are any */
export function look(masks: usize): bool {
  if (ASC_FEATURE_SIMD) return lookAtFour(masks);
  return false;
}
