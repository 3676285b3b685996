/**
 * Inflates what the build deflated (RFC 1951): the Wasm that scripts carry as text. The data is this package's own, so
 * nothing is checked. Unlike a `DecompressionStream`, every engine has it, and its result comes at once.
 */

/** The codes of an alphabet, by the bits that come next: a symbol times 16, and the length of its code. */
interface Codes {
  table: Uint16Array;
  /** The longest code, in bits. */
  longest: number;
}

/** Makes the codes of the lengths of all symbols (RFC 1951, 3.2.2). */
function codesOf(lengths: Uint8Array): Codes {
  const longest = Math.max(1, ...lengths);
  const table = new Uint16Array(1 << longest);
  let code = 0;
  for (let length = 1; length <= longest; length++) {
    for (let symbol = 0; symbol < lengths.length; symbol++) {
      if (lengths[symbol] !== length) continue;
      // Codes come with their highest bit first, all else with its lowest.
      let reversed = 0;
      for (let bit = 0; bit < length; bit++) reversed |= ((code >> bit) & 1) << (length - 1 - bit);
      for (; reversed < table.length; reversed += 1 << length) table[reversed] = (symbol << 4) | length;
      code++;
    }
    code <<= 1;
  }
  return { table, longest };
}

/** The order of the code length alphabet (3.2.7). */
const ORDER = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

/** Lengths and distances (3.2.5): the extra bits of a symbol, and the first value that it stands for. */
function ranges(count: number, width: number, first: number): { extra: number[]; base: number[] } {
  const extra: number[] = [];
  const base: number[] = [];
  for (let symbol = 0, value = first; symbol < count; symbol++) {
    extra.push(Math.max(0, (symbol >> width) - 1));
    base.push(value);
    value += 1 << extra[symbol]!;
  }
  return { extra, base };
}

/**
 * Inflates a stream.
 * @param data a deflate stream without a frame
 * @param size of its content, in bytes
 */
export function inflate(data: Uint8Array, size: number): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(size);
  const lengths = ranges(28, 2, 3);
  // The longest length has a symbol of its own.
  lengths.extra.push(0);
  lengths.base.push(258);
  const distances = ranges(30, 1, 1);
  let at = 0;
  let end = 0;
  let held = 0;
  let heldLen = 0;

  /** Behind the end of the data come zeros. */
  const hold = (count: number): void => {
    for (; heldLen < count; heldLen += 8) held |= data[at++]! << heldLen;
  };

  const drop = (count: number): void => {
    held >>>= count;
    heldLen -= count;
  };

  const bits = (count: number): number => {
    hold(count);
    const value = held & ((1 << count) - 1);
    drop(count);
    return value;
  };

  const symbol = ({ table, longest }: Codes): number => {
    hold(longest);
    const entry = table[held & (table.length - 1)]!;
    drop(entry & 15);
    return entry >> 4;
  };

  const dynamicCodes = (): [Codes, Codes] => {
    const literals = bits(5) + 257;
    const all = new Uint8Array(literals + bits(5) + 1);
    const short = new Uint8Array(19);
    for (let count = bits(4) + 4, index = 0; index < count; index++) short[ORDER[index]!] = bits(3);
    const codes = codesOf(short);
    for (let index = 0; index < all.length; ) {
      const value = symbol(codes);
      if (value < 16) all[index++] = value;
      else {
        const repeated = value === 16 ? all[index - 1]! : 0;
        const times = value === 16 ? 3 + bits(2) : value === 17 ? 3 + bits(3) : 11 + bits(7);
        all.fill(repeated, index, index + times);
        index += times;
      }
    }
    return [codesOf(all.subarray(0, literals)), codesOf(all.subarray(literals))];
  };

  const fixedCodes = (): [Codes, Codes] => {
    const literals = new Uint8Array(288).fill(8).fill(9, 144, 256).fill(7, 256, 280);
    return [codesOf(literals), codesOf(new Uint8Array(30).fill(5))];
  };

  const stored = (): void => {
    drop(heldLen & 7);
    const length = bits(16);
    bits(16);
    for (let count = length; count > 0; count--) out[end++] = bits(8);
  };

  const compressed = ([literals, far]: [Codes, Codes]): void => {
    for (let value = symbol(literals); value !== 256; value = symbol(literals)) {
      if (value < 256) {
        out[end++] = value;
        continue;
      }
      const length = lengths.base[value - 257]! + bits(lengths.extra[value - 257]!);
      const step = symbol(far);
      const distance = distances.base[step]! + bits(distances.extra[step]!);
      for (const stop = end + length; end < stop; end++) out[end] = out[end - distance]!;
    }
  };

  for (let isLast = 0; isLast === 0; ) {
    isLast = bits(1);
    const type = bits(2);
    if (type === 0) stored();
    else compressed(type === 1 ? fixedCodes() : dynamicCodes());
  }
  return out;
}
