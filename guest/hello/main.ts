/** The smallest guest, without a device. Prints its command line, then its arguments, one per line. */
import { args, argLen, argNext, argsEnd, CMDLINE_MAX, cmdlineSplit } from "../lib/cmdline";
import { cmdlineLen, cmdlineRead } from "../bindings/solo5";
import { flush, print, printBytes } from "../lib/console";

export function solo5_app_main(): i32 {
  print("Hello, World\nCommand line is: '");
  const len = cmdlineLen();
  if (len <= CMDLINE_MAX) {
    cmdlineRead(args);
    printBytes(args, len);
  }
  print("'\n");
  if (!cmdlineSplit()) {
    print("Error: malformed command line.\n");
    flush();
    return 1;
  }
  for (let arg = args; arg < argsEnd; arg = argNext(arg)) {
    print("[");
    printBytes(arg, argLen(arg));
    print("]\n");
  }
  flush();
  return 0;
}
