/** Names of the core's statuses (`asm/base/status.ts`), as in `src/errors.ts`. */
import { print, printByte, printU64 } from "./console";
// The build makes it: numbers and names, one after the other, and a zero, in half the bytes that literals take.
import { names } from "./status-names";

/** Prints a status as `BadAdler (70)`. */
export function printStatus(status: u32): void {
  let number: u32 = 0;
  let inName = true;
  for (let at = names; load<u8>(at); at++) {
    const byte: u32 = load<u8>(at);
    const digit = byte - 0x30;
    if (digit < 10) {
      number = inName ? digit : number * 10 + digit;
      inName = false;
    } else {
      inName = true;
      if (number == status) printByte(byte);
    }
  }
  print(" (");
  printU64(status);
  print(")");
}
