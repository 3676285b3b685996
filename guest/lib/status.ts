/** Names of the core's statuses (`asm/status.ts`), as `src/errors.ts` has them. */
import { print, printByte, printU64 } from "./console";

// Numbers and names in few literals, which are a third of the size of one for each. Literals are not joined by `+`: that would
// be done at run time, and allocate. A test compares them with `src/errors.ts`.
const DEVICE_AND_LIMITS =
  "2InvalidArgument3DeviceFailed34ObjectTooLarge35ChainTooDeep36TreeTooDeep37TooManyObjects";
const FRAME = "48BadHeader49BadPack50BadIdx51Truncated52BadTrailer";
const DEFLATE =
  "64BadZlibHeader65BadBlockType66BadStoredLength67BadCodeLengths68BadSymbol69BadDistance70BadAdler71BadInflatedSize";
const ENTRIES =
  "80BadEntry81BadBase82MissingBase83BadDelta84DeltaBaseSize85DeltaCopyRange86DeltaResultSize";
const OBJECTS = "96MissingObject97WrongKind98BadCommit99BadTree100OidMismatch101CrcMismatch";

/** Prints the name that follows the number, if it is there. */
function printName(status: u32, names: string): void {
  let number: u32 = 0;
  let inName = true;
  for (let i = 0; i < names.length; i++) {
    const unit: u32 = load<u16>(changetype<usize>(names) + (i << 1));
    const digit = unit - 0x30;
    if (digit < 10) {
      number = inName ? digit : number * 10 + digit;
      inName = false;
    } else {
      inName = true;
      if (number == status) printByte(unit);
    }
  }
}

/** Prints a status as `BadAdler (70)`. */
export function printStatus(status: i32): void {
  printName(status, DEVICE_AND_LIMITS);
  printName(status, FRAME);
  printName(status, DEFLATE);
  printName(status, ENTRIES);
  printName(status, OBJECTS);
  print(" (");
  printU64(status);
  print(")");
}
