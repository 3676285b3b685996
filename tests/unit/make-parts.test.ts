import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { dateInUtc, parseDate } from "../../src/make/date.js";
import { encodeHeader, paddingLen } from "../../src/make/image.js";
import { sortTree } from "../../src/make/objects.js";
import { combineAdler32, encodeBaseDistance, encodeEntryHeader } from "../../src/make/pack/writer.js";
import { locateSource } from "../../src/make/source/locate.js";
import { seeded } from "../support/random.js";
import { temporaryFolder } from "../support/temporary.js";

test("dates keep their moment and their offset", () => {
  const cases: [string, number, string][] = [
    ["2024-06-07T08:09:10+02:00", 1717740550, "+0200"],
    ["2020-10-10T08:00:00+00:00", 1602316800, "+0000"],
    ["1970-01-01T00:00:00Z", 0, "+0000"],
    ["2024-02-29t23:59:59.999z", 1709251199, "+0000"],
    ["2016-12-31 23:59:60Z", 1483228800, "+0000"],
    ["2024-06-07T08:09:10-03:30", 1717760350, "-0330"],
    ["2024-06-07T08:09:10-00:00", 1717747750, "-0000"],
    ["9999-12-31T23:59:59Z", 253402300799, "+0000"],
  ];
  for (const [text, seconds, zone] of cases) assert.deepEqual(parseDate(text), { seconds, zone }, text);
  assert.deepEqual(dateInUtc(new Date(1717740550_999)), { seconds: 1717740550, zone: "+0000" });
});

test("what is no date is refused", () => {
  const cases = [
    "",
    "now",
    "2024-06-07",
    "2024-06-07T08:09:10",
    "2024-06-07T08:09+02:00",
    "2024-02-30T00:00:00Z",
    "2023-02-29T00:00:00Z",
    "2024-13-01T00:00:00Z",
    "2024-00-01T00:00:00Z",
    "2024-01-00T00:00:00Z",
    "2024-01-01T24:00:00Z",
    "2024-01-01T00:60:00Z",
    "2024-01-01T00:00:61Z",
    "2024-01-01T00:00:00+24:00",
    "2024-01-01T00:00:00+02:60",
    "1969-12-31T23:59:59Z",
    "1970-01-01T00:00:00+00:01",
    "2024-06-07T08:09:10+02:00 ",
    "0000-01-01T00:00:00Z",
  ];
  for (const text of cases) assert.throws(() => parseDate(text), { code: "InvalidArgument" }, text);
  assert.throws(() => dateInUtc(new Date(-1)), { code: "InvalidArgument" });
  assert.throws(() => dateInUtc(new Date(Number.NaN)), { code: "InvalidArgument" });
});

test("padding always ends a block, and is a whole one where none is needed", () => {
  assert.equal(paddingLen(1, 512), 511);
  assert.equal(paddingLen(511, 512), 1);
  assert.equal(paddingLen(512, 512), 512);
  assert.equal(paddingLen(4095, 4096), 1);
});

test("the header's offset is 64 bits, little end first", () => {
  const header = encodeHeader(new Uint8Array(20).fill(0xaa), 0x1_0203_0405);
  assert.equal(Buffer.from(header).toString("hex"), `${"aa".repeat(20)}0504030201000000`);
});

test("entry headers hold sizes beyond 32 bits", () => {
  for (const size of [0, 1, 15, 16, 2047, 2048, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 40 + 12345, 2 ** 52]) {
    const bytes = encodeEntryHeader(3, size);
    assert.equal((bytes[0]! >> 4) & 7, 3);
    let value = BigInt(bytes[0]! & 15);
    for (let at = 1; at < bytes.length; at++) value |= BigInt(bytes[at]! & 0x7f) << BigInt(4 + 7 * (at - 1));
    assert.equal(value, BigInt(size));
    bytes.forEach((byte, at) => {
      assert.equal(byte >= 0x80, at < bytes.length - 1, `${size}, byte ${at}`);
    });
  }
  assert.deepEqual([...encodeEntryHeader(1, 15)], [0x1f]);
  assert.deepEqual([...encodeEntryHeader(2, 16)], [0xa0, 1]);
});

test("the distance of a base is read back by git's rule", () => {
  for (const distance of [1, 127, 128, 129, 16511, 16512, 2113663, 2113664, 2 ** 31, 2 ** 32 + 5, 2 ** 45]) {
    const bytes = encodeBaseDistance(distance);
    let value = BigInt(bytes[0]! & 0x7f);
    for (let at = 1; at < bytes.length; at++) value = ((value + 1n) << 7n) | BigInt(bytes[at]! & 0x7f);
    assert.equal(value, BigInt(distance));
    bytes.forEach((byte, at) => {
      assert.equal(byte >= 0x80, at < bytes.length - 1, `${distance}, byte ${at}`);
    });
  }
});

test("the Adler-32 of two parts", () => {
  const random = seeded(5);
  /** RFC 1950, section 8.2. */
  const adler32 = (bytes: Uint8Array): number => {
    let [low, high] = [1, 0];
    for (const byte of bytes) {
      low = (low + byte) % 65521;
      high = (high + low) % 65521;
    }
    return high * 65536 + low;
  };
  for (const [first, second] of [
    [0, 0],
    [0, 9],
    [9, 0],
    [1, 65521],
    [70_000, 200_000],
    [300_000, 1],
  ] as const) {
    const bytes = Uint8Array.from({ length: first + second }, () => 255 - random(3));
    const combined = combineAdler32(
      adler32(bytes.subarray(0, first)),
      adler32(bytes.subarray(first)),
      second,
    );
    assert.equal(combined, adler32(bytes), `${first} and ${second}`);
  }
});

test("trees are sorted as if a slash followed directories' names", () => {
  const entries = ["a0", "a/", "a.txt", "a-b", "a", "B", "\xff", "ab"].map((name) =>
    name.endsWith("/") ? { mode: "40000" as const, name: "a" } : { mode: "100644" as const, name },
  );
  sortTree(entries);
  const names = entries.map(({ mode, name }) => (mode === "40000" ? `${name}/` : name));
  assert.deepEqual(names, ["B", "a", "a-b", "a.txt", "a/", "a0", "ab", "\xff"]);
});

test("sources are local, whatever their form", (t) => {
  const folder = temporaryFolder(t);
  const expected = { kind: "directory", path: folder, isStream: false };
  assert.deepEqual(locateSource("-"), { kind: "tar", path: "-", isStream: true });
  assert.deepEqual(locateSource(folder), expected);
  assert.deepEqual(locateSource(`file://${folder}`), expected);
  const before = process.cwd();
  process.chdir(join(folder, ".."));
  t.after(() => process.chdir(before));
  assert.deepEqual(locateSource(`relativize://${folder.slice(folder.lastIndexOf("/") + 1)}`), expected);
  assert.deepEqual(locateSource("relativize://./x/../").kind, "directory");
  for (const source of [
    "https://example.org/a.git",
    "ssh://host/a",
    "git://host/a",
    "git@example.org:a.git",
    "host:path",
    "ext::sh -c true",
    "ext::true",
    "",
    "file://host/path",
    "file:///a%2fb",
    "relativize://",
    "a\0b",
  ])
    assert.throws(() => locateSource(source), { code: "InvalidArgument" }, source);
  assert.throws(() => locateSource(join(folder, "absent")), {
    code: "BadSource",
    message: /absent does not exist$/,
  });
});
