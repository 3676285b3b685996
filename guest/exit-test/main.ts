/** Ends in the way that its first argument names: `return N`, `exit N`, `abort`, `unreachable`, `bounds`, `stack`, `divide`. */
import { argIs, argNext, args, cmdlineSplit } from "../lib/cmdline";
import { solo5_abort, solo5_exit } from "../lib/hypercalls";

function number(arg: usize): i32 {
  const negative = load<u8>(arg) == 0x2d;
  let value = 0;
  for (let ptr = negative ? arg + 1 : arg; load<u8>(ptr); ptr++) value = value * 10 + load<u8>(ptr) - 0x30;
  return negative ? -value : value;
}

/** The argument is read back after the call, so that the call is not a tail call. */
function deep(level: u64): u64 {
  return deep(level + 1) + load<u8>(args);
}

export function solo5_app_main(): i32 {
  if (!cmdlineSplit()) return 99;
  if (argIs(args, "return")) return number(argNext(args));
  if (argIs(args, "exit")) {
    solo5_exit(number(argNext(args)));
    return 98;
  }
  if (argIs(args, "abort")) {
    solo5_abort();
    return 97;
  }
  if (argIs(args, "unreachable")) unreachable();
  if (argIs(args, "bounds")) return load<i32>(0xfffffff0);
  if (argIs(args, "stack")) return <i32>deep(0);
  if (argIs(args, "divide")) return 1 / (load<u8>(args) - 0x64);
  return 96;
}
