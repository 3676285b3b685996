/** The function that AssemblyScript calls where it throws; the template of a guest says so in `asconfig.json`. */
import { solo5_abort } from "../lib/hypercalls";
import { flush, print, printU64, printUtf16 } from "../lib/console";

/** Prints a string, whose length in bytes stands before it. A pointer keeps the garbage collector out of this. */
function printString(text: usize): void {
  printUtf16(text, load<u32>(text - 4) >> 1);
}

/** Prints the message, and ends the guest with status 255. @param message a string, as is `file`; 0 for none */
export function abort(message: usize, file: usize, line: u32, column: u32): void {
  print("abort: ");
  if (message) printString(message);
  if (file) {
    print(" in ");
    printString(file);
    print(":");
    printU64(line);
    print(":");
    printU64(column);
  }
  print("\n");
  flush();
  solo5_abort();
}
