/** Names of the core's statuses (`asm/status.ts`), as `src/errors.ts` has them. */
import { Status } from "../../asm/status";
import { print, printU64 } from "./console";

function nameOf(status: i32): string {
  switch (status) {
    case Status.EINVAL:
      return "InvalidArgument";
    case Status.EUNSPEC:
      return "DeviceFailed";
    case Status.OBJECT_TOO_LARGE:
      return "ObjectTooLarge";
    case Status.CHAIN_TOO_DEEP:
      return "ChainTooDeep";
    case Status.TREE_TOO_DEEP:
      return "TreeTooDeep";
    case Status.TOO_MANY_OBJECTS:
      return "TooManyObjects";
    case Status.BAD_HEADER:
      return "BadHeader";
    case Status.BAD_PACK:
      return "BadPack";
    case Status.BAD_IDX:
      return "BadIdx";
    case Status.TRUNCATED:
      return "Truncated";
    case Status.BAD_TRAILER:
      return "BadTrailer";
    case Status.BAD_ZLIB_HEADER:
      return "BadZlibHeader";
    case Status.BAD_BLOCK_TYPE:
      return "BadBlockType";
    case Status.BAD_STORED_LENGTH:
      return "BadStoredLength";
    case Status.BAD_CODE_LENGTHS:
      return "BadCodeLengths";
    case Status.BAD_SYMBOL:
      return "BadSymbol";
    case Status.BAD_DISTANCE:
      return "BadDistance";
    case Status.BAD_ADLER:
      return "BadAdler";
    case Status.BAD_INFLATED_SIZE:
      return "BadInflatedSize";
    case Status.BAD_ENTRY:
      return "BadEntry";
    case Status.BAD_BASE:
      return "BadBase";
    case Status.MISSING_BASE:
      return "MissingBase";
    case Status.BAD_DELTA:
      return "BadDelta";
    case Status.DELTA_BASE_SIZE:
      return "DeltaBaseSize";
    case Status.DELTA_COPY_RANGE:
      return "DeltaCopyRange";
    case Status.DELTA_RESULT_SIZE:
      return "DeltaResultSize";
    case Status.MISSING_OBJECT:
      return "MissingObject";
    case Status.WRONG_KIND:
      return "WrongKind";
    case Status.BAD_COMMIT:
      return "BadCommit";
    case Status.BAD_TREE:
      return "BadTree";
    case Status.OID_MISMATCH:
      return "OidMismatch";
    case Status.CRC_MISMATCH:
      return "CrcMismatch";
    default:
      return "status";
  }
}

/** Prints a status as `BadAdler (70)`. */
export function printStatus(status: i32): void {
  print(nameOf(status));
  print(" (");
  printU64(status);
  print(")");
}
