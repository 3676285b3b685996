/**
 * The hypercalls `block_acquire` and `block_read` as functions of the guest itself. The device is a passive data segment;
 * `memory.init` copies blocks out of it. They keep the contract of docs/ABI.md.
 */
import { leb128 } from "../wasm-binary/write.js";

/** The facts that the functions' code depends on. */
export interface BlockDeviceFacts {
  /** The device's name, ASCII. */
  name: string;
  /** Bytes of the segment, a multiple of `blockSize`. */
  capacity: number;
  blockSize: number;
  /** The index of the data segment. */
  segment: number;
  /** The index of a mutable i32 global, which is 1 once the device is acquired. */
  acquired: number;
  /** The tender's own hypercalls, for other devices; undefined if there are none. */
  acquireOther: number | undefined;
  readOther: number | undefined;
}

/** The handle of the device: one that no tender gives to another device. */
const HANDLE = 2n ** 62n;

const EINVAL = 2;

/** Instructions by name (5.4); those with immediates are functions. */
const OP = {
  if: [0x04, 0x40],
  end: [0x0b],
  return: [0x0f],
  i32Eqz: [0x45],
  i32Ne: [0x47],
  i64Eqz: [0x50],
  i64Ne: [0x52],
  i64GtU: [0x56],
  i64GeU: [0x5a],
  i64Add: [0x7c],
  i64Sub: [0x7d],
  i64And: [0x83],
  i64Or: [0x84],
  i64Shl: [0x86],
  i32WrapI64: [0xa7],
  i64ExtendI32U: [0xad],
  memorySize: [0x3f, 0],
  get: (local: number): number[] => [0x20, local],
  globalGet: (index: number): number[] => [0x23, ...leb128(index)],
  globalSet: (index: number): number[] => [0x24, ...leb128(index)],
  i32: (value: number): number[] => [0x41, ...signed(BigInt(value))],
  i64: (value: bigint): number[] => [0x42, ...signed(value)],
  load8: (offset: number): number[] => [0x2d, 0, ...leb128(offset)],
  store64: (offset: number): number[] => [0x37, 0, ...leb128(offset)],
  call: (index: number): number[] => [0x10, ...leb128(index)],
  memoryInit: (segment: number): number[] => [0xfc, 8, ...leb128(segment), 0],
} as const;

function signed(value: bigint): number[] {
  const bytes: number[] = [];
  for (let rest = value; ; rest >>= 7n) {
    const byte = Number(rest & 0x7fn);
    if (rest >> 7n === (byte & 0x40 ? -1n : 0n)) return [...bytes, byte];
    bytes.push(byte | 0x80);
  }
}

/** If the condition on the stack holds: returns `status`. */
const failIf = (status: number): number[] => [...OP.if, ...OP.i32(status), ...OP.return, ...OP.end];

/** Whether the range of a pointer and a size, both i64 on the stack, goes beyond the memory. */
const isOutside = [
  ...OP.i64Add,
  ...OP.memorySize,
  ...OP.i64ExtendI32U,
  ...OP.i64(16n),
  ...OP.i64Shl,
  ...OP.i64GtU,
];

const pointer = (local: number): number[] => [...OP.get(local), ...OP.i64ExtendI32U];

/** A function's code, with its size, without local variables. */
function body(...instructions: (readonly number[])[]): number[] {
  const code = [0, ...instructions.flat(), ...OP.end];
  return [...leb128(code.length), ...code];
}

/** If the condition on the stack holds: this is about another device. */
function otherIf(other: number | undefined): number[] {
  if (other === undefined) return failIf(EINVAL);
  const args = [0, 1, 2, 3].flatMap(OP.get);
  return [...OP.if, ...args, ...OP.call(other), ...OP.return, ...OP.end];
}

/** (name, nameLen, handleOut, infoOut) → i32 */
export function acquireCode(facts: BlockDeviceFacts): number[] {
  const { name, capacity, blockSize, acquired, acquireOther } = facts;
  const other = otherIf(acquireOther);
  const letters = [...name].flatMap((letter, index) => [
    ...OP.get(0),
    ...OP.load8(index),
    ...OP.i32(letter.charCodeAt(0)),
    ...OP.i32Ne,
    ...other,
  ]);
  return body(
    OP.get(1),
    OP.i32(name.length),
    OP.i32Ne,
    other,
    [...pointer(0), ...OP.i64(BigInt(name.length)), ...isOutside, ...failIf(EINVAL)],
    letters,
    [...OP.globalGet(acquired), ...failIf(EINVAL)],
    [...pointer(2), ...OP.i64(8n), ...isOutside, ...failIf(EINVAL)],
    [...pointer(3), ...OP.i64(16n), ...isOutside, ...failIf(EINVAL)],
    [...OP.get(2), ...OP.i64(HANDLE), ...OP.store64(0)],
    [...OP.get(3), ...OP.i64(BigInt(capacity)), ...OP.store64(0)],
    [...OP.get(3), ...OP.i64(BigInt(blockSize)), ...OP.store64(8)],
    [...OP.i32(1), ...OP.globalSet(acquired)],
    OP.i32(0),
  );
}

/** (handle i64, offset i64, buf, size) → i32 */
export function readCode(facts: BlockDeviceFacts): number[] {
  const { capacity, blockSize, segment, acquired, readOther } = facts;
  return body(
    [...OP.get(0), ...OP.i64(HANDLE), ...OP.i64Ne, ...otherIf(readOther)],
    [...OP.globalGet(acquired), ...OP.i32Eqz, ...failIf(EINVAL)],
    [...OP.get(3), ...OP.i32Eqz, ...failIf(EINVAL)],
    [...OP.get(1), ...pointer(3), ...OP.i64Or, ...OP.i64(BigInt(blockSize - 1)), ...OP.i64And],
    [...OP.i64Eqz, ...OP.i32Eqz, ...failIf(EINVAL)],
    [...OP.get(1), ...OP.i64(BigInt(capacity)), ...OP.i64GeU, ...failIf(EINVAL)],
    [...pointer(3), ...OP.i64(BigInt(capacity)), ...OP.get(1), ...OP.i64Sub, ...OP.i64GtU, ...failIf(EINVAL)],
    [...pointer(2), ...pointer(3), ...isOutside, ...failIf(EINVAL)],
    [...OP.get(2), ...OP.get(1), ...OP.i32WrapI64, ...OP.get(3), ...OP.memoryInit(segment)],
    OP.i32(0),
  );
}
