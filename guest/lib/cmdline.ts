/**
 * The command line: arguments separated by white space; double quotes join, a backslash takes the next byte as it is, as
 * MirageOS splits it. The host quotes by the same rules (docs/ABI.md).
 *
 * It is split in place: `args` holds the arguments, each followed by a NUL, `argsEnd` is the end of the last.
 */
import { cmdlineLen, cmdlineRead } from "../bindings/solo5";

export const CMDLINE_MAX: u32 = 8192;

/** One byte more, for the NUL after the last argument. */
export const args: usize = memory.data(8193, 1);
export let argsEnd: usize = args;

function isSpace(byte: u32): bool {
  return byte == 0x20 || byte - 9 < 5;
}

/**
 * Reads the command line and splits it. An argument takes no more room unquoted than it did quoted, its NUL included:
 * the write position never passes the read position.
 * @returns false if a quote is not closed, the last byte is a backslash, or the line is too long or holds a NUL
 */
export function cmdlineSplit(): bool {
  const len = cmdlineLen();
  if (len > CMDLINE_MAX) return false;
  cmdlineRead(args);
  const end = args + len;
  let from = args;
  let to = args;
  while (from < end) {
    if (isSpace(load<u8>(from))) {
      from++;
      continue;
    }
    let quoted = false;
    while (from < end) {
      let byte: u32 = load<u8>(from++);
      if (!quoted && isSpace(byte)) break;
      if (byte == 0x22) {
        quoted = !quoted;
        continue;
      }
      if (byte == 0x5c) {
        if (from == end) return false;
        byte = load<u8>(from++);
      }
      if (!byte) return false;
      store<u8>(to++, byte);
    }
    if (quoted) return false;
    store<u8>(to++, 0);
  }
  argsEnd = to;
  return true;
}

/** Bytes of the NUL-terminated argument at `arg`. */
export function argLen(arg: usize): u32 {
  let end = arg;
  while (load<u8>(end)) end++;
  return <u32>(end - arg);
}

/** The argument after `arg`; `argsEnd` if there is none. */
export function argNext(arg: usize): usize {
  return arg + argLen(arg) + 1;
}

/** Whether the argument is `text`, an ASCII literal. */
export function argIs(arg: usize, text: string): bool {
  const len = <u32>text.length;
  return argStartsWith(arg, text) && load<u8>(arg + len) == 0;
}

/** Whether the argument begins with `text`, an ASCII literal. */
export function argStartsWith(arg: usize, text: string): bool {
  const ptr = changetype<usize>(text);
  const len = <u32>text.length;
  for (let i: u32 = 0; i < len; i++)
    if (<u32>load<u8>(arg + i) != <u32>load<u16>(ptr + (i << 1))) return false;
  return true;
}

/** The results of `argOption`: the value, and the argument after it. */
export let optionValue: usize = 0;
export let optionNext: usize = 0;

/**
 * Whether `arg` is the option `key`: `--key VALUE` or `--key=VALUE`.
 * @param key an ASCII literal with its dashes
 * @returns true; `optionValue` is 0 if the value is missing
 */
export function argOption(arg: usize, key: string): bool {
  if (!argStartsWith(arg, key)) return false;
  const end = arg + <u32>key.length;
  const byte: u32 = load<u8>(end);
  if (byte == 0x3d) {
    optionValue = end + 1;
    optionNext = argNext(arg);
    return true;
  }
  if (byte) return false;
  const value = end + 1;
  const missing = value == argsEnd;
  optionValue = missing ? 0 : value;
  optionNext = missing ? argsEnd : argNext(value);
  return true;
}
