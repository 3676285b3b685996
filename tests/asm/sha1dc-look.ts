/** The conditions of collision attacks as code, for its test (SIMD alone). */
import { lookAtFour, schedules } from "../../asm/checksum/sha1dc-look";
export { CONDITIONS_LEN, conditions } from "../../asm/checksum/sha1dc-vectors";
export { schedules };

/** The vectors whose conditions each of four blocks meets, all of them ruled out where none is left. @param masks 16 bytes */
export function look(masks: usize): bool {
  if (ASC_FEATURE_SIMD) return lookAtFour(masks);
  return false;
}
