import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { DocteurError } from "../../src/errors.js";
import { dateInUtc, parseDate } from "../../src/git/date.js";
import { encodeBaseDistance, encodeEntryHeader, entryHeaderLen } from "../../src/git/entry.js";
import { sortTree } from "../../src/git/objects.js";
import type { RemoteAddress } from "../../src/git-program/address.js";
import { scrubber, troubleWith } from "../../src/git-program/remote-errors.js";
import { encodeHeader, paddingLen } from "../../src/make/image.js";
import { locateSource } from "../../src/make/locate.js";
import { combineAdler32 } from "../../src/make/pack/writer.js";
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
    ["1717740550", 1717740550, "+0000"],
    ["@1717740550", 1717740550, "+0000"],
    ["0", 0, "+0000"],
    ["9999-12-31T23:59:59Z", 253402300799, "+0000"],
  ];
  for (const [text, seconds, zone] of cases) assert.deepEqual(parseDate(text), { seconds, zone }, text);
  assert.deepEqual(dateInUtc(new Date(1717740550_999)), { seconds: 1717740550, zone: "+0000" });
});

test("what is no date is refused", () => {
  const cases = [
    "",
    "now",
    "@",
    "@-1",
    "-1",
    "1.5",
    "1234567890123",
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
    assert.equal(entryHeaderLen(size), bytes.length);
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
    assert.equal(entryHeaderLen(16, distance), 2 + bytes.length);
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

test("sources on this machine, whatever their form", (t) => {
  const folder = temporaryFolder(t);
  const expected = { kind: "directory", path: folder, isStream: false };
  assert.deepEqual(locateSource("-"), { kind: "archive", path: "-", isStream: true });
  assert.deepEqual(locateSource(folder), expected);
  assert.deepEqual(locateSource(`file://${folder}`), expected);
  const before = process.cwd();
  process.chdir(join(folder, ".."));
  t.after(() => process.chdir(before));
  assert.deepEqual(locateSource(`relativize://${folder.slice(folder.lastIndexOf("/") + 1)}`), expected);
  assert.deepEqual(locateSource("relativize://./x/../").kind, "directory");
  for (const name of ["a#b", "a?b", "a\\b", " a\nb\t "]) {
    const path = join(folder, name);
    mkdirSync(path);
    assert.deepEqual(locateSource(`file://${path}`), { ...expected, path }, name);
  }
  // As for git, a host says nothing, and an escaped slash is a slash.
  assert.deepEqual(locateSource(`file://host${folder}`), expected);
  assert.deepEqual(locateSource(`file://${folder.replace(/\/(?=[^/]*$)/, "%2f")}`), expected);
  mkdirSync(join(folder, "host:path"));
  process.chdir(folder);
  assert.deepEqual(locateSource("host:path"), { ...expected, path: join(folder, "host:path") });
  for (const source of ["", "-x", "--upload-pack=x", "file://host", "relativize://", "a\0b"])
    assert.throws(() => locateSource(source), { code: "InvalidArgument" }, source);
  assert.throws(() => locateSource(join(folder, "absent")), {
    code: "BadSource",
    message: /absent does not exist$/,
  });
});

/** An address as `locateSource` finds it. */
function addressOf(source: string): RemoteAddress {
  const found = locateSource(source);
  if (found.kind !== "remote") throw new Error(`${source} is ${found.kind}`);
  return found.address;
}

test("addresses of other machines", () => {
  const cases: [source: string, url: string, host: string, username?: string, password?: string][] = [
    ["https://example.org/a.git", "https://example.org/a.git", "example.org"],
    ["HTTPS://example.org:8443/a?b#c@d", "https://example.org:8443/a?b#c@d", "example.org:8443"],
    ["http://example.org", "http://example.org", "example.org"],
    ["http://example.org:/a", "http://example.org/a", "example.org"],
    ["http://[::1]:80/a", "http://[::1]:80/a", "[::1]:80"],
    ["https://me@example.org/a", "https://example.org/a", "example.org", "me"],
    ["https://me:secret@example.org:1/a", "https://example.org:1/a", "example.org:1", "me", "secret"],
    ["https://a%40b:c%3Ad%25%zz@h/x@y", "https://h/x@y", "h", "a@b", "c:d%%zz"],
    ["https://me:p@ss@h/x", "https://h/x", "h", "me", "p@ss"],
    ["https://%C3%BC:@h/x", "https://h/x", "h", "ü", ""],
    ["ssh://host/a", "ssh://host/a", "host"],
    ["ssh://me@host:22/~/a", "ssh://me@host:22/~/a", "host:22"],
    ["git+ssh://host/a", "git+ssh://host/a", "host"],
    ["git://host/a", "git://host/a", "host"],
    ["git@example.org:a.git", "git@example.org:a.git", "example.org"],
    ["host:path", "host:path", "host"],
    ["host:/abs/path:with@this", "host:/abs/path:with@this", "host"],
    ["[::1]:path", "[::1]:path", "::1"],
    ["me@[::1]:path", "me@[::1]:path", "[::1]"],
    ["[me@host:2222]:path", "[me@host:2222]:path", "host:2222"],
  ];
  for (const [source, url, host, username, password] of cases) {
    const address = addressOf(source);
    assert.deepEqual([address.url, address.host], [url, host], source);
    assert.deepEqual(address.login, username === undefined ? undefined : { username, password }, source);
  }
});

test("addresses that are refused, and never repeat a password", () => {
  const cases: [string, RegExp][] = [
    ["https:///path", /host or port cannot be read$/],
    ["https://me:secret/secret@host/path", /host or port cannot be read$/],
    ["https://me:secret#secret@host/path", /host or port cannot be read$/],
    ["https://me:secret@/path", /host or port cannot be read$/],
    ["https://me:secret@host:port/path", /host or port cannot be read$/],
    ["https://me:secret%0A@host/path", /line break$/],
    ["https://me:secret@host/pa\nth", /control characters$/],
    ["https://me:secret@-host/path", /begins with a dash$/],
    ["ssh://me:secret@host/path", /ssh takes no password$/],
    ["ssh://-oProxyCommand=x/path", /begins with a dash$/],
    ["ssh://-x@host/path", /begins with a dash$/],
    ["me@-oProxyCommand=x:path", /begins with a dash$/],
    ["ssh://host", /has no path$/],
    ["git://host/", /has no path$/],
    ["git://me:secret@host/path", /ssh takes no password$|knows no users$/],
    ["git://me@host/path", /knows no users$/],
    ["host:", /has no path$/],
    ["a[b]c:d", /host cannot be read$/],
    ["ext::sh -c touch% secret", /remote helper ext, which is not taken$/],
    ["ext::https://host/path", /remote helper ext/],
    ["fd::17", /remote helper fd/],
    ["a+b.c-d::secret", /remote helper a\+b\.c-d/],
    ["ftp://me:secret@host/path", /^no source has the scheme ftp:\/\/$/],
    ["s3://bucket/key", /^no source has the scheme s3:\/\/$/],
  ];
  for (const [source, message] of cases)
    assert.throws(
      () => locateSource(source),
      (error: DocteurError) => {
        assert.equal(error.code, "InvalidArgument");
        assert.match(error.message, message);
        assert.doesNotMatch(`${error.message} ${error.hint}`, /secret|\n/);
        return true;
      },
      source,
    );
  assert.throws(() => locateSource("gopher://x"), { hint: /https, http, ssh, git, file and relativize/ });
});

test("what went wrong is not told from the name of a repository", () => {
  const address = addressOf("https://host/TLS/timed out.git");
  const said = (why: string): string => `fatal: unable to access '${address.url}/': ${why}`;
  const code = (why: string): string => troubleWith({ address, scrub: scrubber(address) }, said(why)).code;
  assert.equal(code("The requested URL returned error: 500"), "Io");
  assert.equal(code("The requested URL returned error: 403"), "AccessDenied");
  assert.equal(code("gnutls_handshake() failed: TLS alert"), "Network");
});

test("what git and servers say is repeated without the login", () => {
  const scrub = scrubber(addressOf("https://me:p%40ss%2Bw@host/x"));
  const said = "https://me:p%40ss%2Bw@host/x: p@ss+w p%40ss%2Bw bWU6cEBzcyt3 cEBzcyt3 ssh://other@host/x me";
  assert.equal(scrub(said), "https://…@host/x: … … … … ssh://…@host/x me");
  assert.equal(scrubber(addressOf("https://0123456789abcdef@host/x"))("saw 0123456789abcdef"), "saw …");
  assert.equal(scrubber(addressOf("https://host/x"))("nothing to hide"), "nothing to hide");
});
