/** The adaptive radix tree against a sorted model, on every build of it. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { STATUS } from "../../src/errors.js";
import { repositoryPaths } from "../support/paths.js";
import { type Random, seeded } from "../support/random.js";
import { type ProbeVariant, probeVariants } from "../support/wasm.js";

const HEAP = 96 << 20;
const PATH_MAX = 4096;
/** Keys are Latin-1 strings here: a character a byte, in byte order under `<`. */
type Model = Map<string, bigint>;

/** The tree under test, with strings for keys. */
class Tree {
  readonly #e;
  readonly #buffer: number;

  constructor({ exports }: ProbeVariant, maxBytes = HEAP) {
    this.#e = exports;
    this.#e.heapInit(HEAP);
    this.#buffer = this.#e.heapAlloc(PATH_MAX + 64);
    this.#e.artInit(maxBytes);
  }

  #put(key: string): number {
    Buffer.from(this.#e.memory.buffer).write(key, this.#buffer, "latin1");
    return this.#buffer;
  }

  get raw() {
    return this.#e;
  }
  get count(): number {
    return this.#e.artCount();
  }
  get bytes(): number {
    return this.#e.artBytes();
  }

  insert(key: string, value: bigint): number {
    return this.#e.artInsert(this.#put(key), key.length, value);
  }
  find(key: string): bigint | undefined {
    return this.#e.artFind(this.#put(key), key.length) ? this.#value() : undefined;
  }
  longest(key: string): [number, bigint] | undefined {
    const length: number = this.#e.artLongest(this.#put(key), key.length);
    return length < 0 ? undefined : [length, this.#value()];
  }
  /** Node4s, Node16s, Node48s, Node256s and leaves, after a check of every invariant. */
  inspect(): number[] {
    const counts = [...new Uint32Array(this.#e.memory.buffer, this.#e.inspect(), 8)];
    assert.equal(counts[7], 0, `invariant ${counts[7]} is broken`);
    assert.equal(counts[4], this.count, "leaves are keys");
    assert.ok(counts[5]! <= this.bytes, "blocks lie in slabs");
    return counts.slice(0, 5);
  }

  #value(): bigint {
    return BigInt.asUintN(64, this.#e.artValue.value);
  }
}

function longestOf(model: Model, key: string): [number, bigint] | undefined {
  for (let length = key.length; length >= 0; length--) {
    const value = model.get(key.slice(0, length));
    if (value !== undefined && (length === 0 || length === key.length || key[length] === "/"))
      return [length, value];
  }
  return undefined;
}

function randomValue(random: Random): bigint {
  const value = (BigInt(random(2 ** 32)) << 32n) | BigInt(random(2 ** 32));
  return BigInt.asUintN(random(65), value);
}

/** Keys that meet, part and end inside one another: few letters, many slashes; sometimes long runs; sometimes any bytes. */
function randomKey(random: Random): string {
  const kind = random(20);
  let key = "";
  if (kind === 0) {
    for (let n = random(12); n > 0; n--) key += String.fromCharCode(1 + random(255));
    return key;
  }
  if (kind === 1) return "ab/".repeat(random(40)) + "abc"[random(3)];
  if (kind === 2) return `w/${String.fromCharCode(1 + random(255))}${random(4) ? "" : "/x"}`;
  for (let n = random(9); n > 0; n--) key += "aab/-0"[random(6)]!;
  return key;
}

/** The tree holds the model's keys and no others: as many keys, every one of them with its value. */
function checkAll(tree: Tree, model: Model): void {
  assert.equal(tree.count, model.size);
  tree.inspect();
  for (const [key, value] of model) assert.equal(tree.find(key), value, JSON.stringify(key));
}

function randomRun(tree: Tree, random: Random, operations: number, keyOf: (random: Random) => string): void {
  const model: Model = new Map();
  for (let i = 0; i < operations; i++) {
    const key = keyOf(random);
    const what = random(16);
    if (what < 7) {
      const value = randomValue(random);
      assert.equal(tree.insert(key, value), STATUS.Ok);
      model.set(key, value);
    } else if (what < 12) {
      assert.equal(tree.find(key), model.get(key), JSON.stringify(key));
    } else {
      const longer = random(2) ? `${key}/${keyOf(random)}` : key;
      assert.deepEqual(tree.longest(longer), longestOf(model, longer), JSON.stringify(longer));
    }
    if (random(15_000) === 0) checkAll(tree, model);
    if (random(20_000) === 0) {
      tree.raw.artReset();
      assert.equal(tree.bytes, 0);
      assert.equal(tree.find(key), undefined);
      model.clear();
    }
  }
  checkAll(tree, model);
}

describe("adaptive radix tree", () => {
  for (const variant of probeVariants("art")) {
    it(`does as a sorted map does (${variant.label})`, () => {
      const tree = new Tree(variant);
      for (const seed of [1, 2, 3]) {
        tree.raw.artReset();
        randomRun(tree, seeded(seed), variant.debug ? 40_000 : 120_000, randomKey);
      }
    });

    it(`holds repository paths (${variant.label})`, () => {
      const tree = new Tree(variant);
      const paths = repositoryPaths(variant.debug ? 5_000 : 30_000, seeded(7));
      const model: Model = new Map(paths.map((path, i) => [path, BigInt(i) << 12n]));
      for (const [path, value] of model) assert.equal(tree.insert(path, value), STATUS.Ok);
      for (const [path, value] of model) {
        assert.equal(tree.find(path), value);
        assert.equal(tree.find(`${path}~`), undefined);
        assert.deepEqual(tree.longest(`${path}/no/such`), [path.length, value]);
      }
      checkAll(tree, model);
    });

    it(`grows through all kinds of node, in any order (${variant.label})`, () => {
      const tree = new Tree(variant);
      for (const prefix of ["", "p", "a long prefix of more than sixteen bytes/"]) {
        for (const step of [1, 7, 254]) {
          tree.raw.artReset();
          const model: Model = new Map();
          const add = (key: string): void => {
            assert.equal(tree.insert(key, BigInt(model.size)), STATUS.Ok);
            model.set(key, BigInt(model.size));
          };
          add(prefix);
          for (let i = 0; i < 255; i++) {
            add(prefix + String.fromCharCode(1 + ((i * step) % 255)));
            const kinds = tree.inspect();
            const expected = i + 2 <= 4 ? 0 : i + 2 <= 16 ? 1 : i + 2 <= 48 ? 2 : 3;
            assert.deepEqual(
              kinds.map((n, kind) => (kind < 4 ? n : 0)),
              [0, 1, 2, 3, 4].map((k) => +(k === expected)),
            );
            for (let byte = 1; byte < 256; byte++) {
              const key = prefix + String.fromCharCode(byte);
              if (i % 8 === 0 || byte === 1) assert.equal(tree.find(key), model.get(key));
            }
          }
          checkAll(tree, model);
        }
      }
    });

    it(`splits a prefix at every place, under a node of every kind (${variant.label})`, () => {
      const stem = "abcdefghijklmnopqrstuvwxyz0123456789/ABC";
      for (const fanout of [2, 5, 17, 49, 255]) {
        for (let place = 0; place <= stem.length; place++) {
          const tree = new Tree(variant);
          const model: Model = new Map();
          const add = (key: string): void => {
            model.set(key, BigInt(model.size * 1000));
            assert.equal(tree.insert(key, model.get(key)!), STATUS.Ok);
          };
          for (let i = 1; i <= fanout; i++) add(stem + String.fromCharCode(i));
          add(stem.slice(0, place));
          add(`${stem.slice(0, place)}!tail`);
          checkAll(tree, model);
          for (const [key, value] of model) assert.equal(tree.find(key), value);
        }
      }
    });

    it(`takes no node for a directory but the one that its names part in (${variant.label})`, () => {
      const keys = ["lib", "lib/a", "lib/b", "source", "source/deep/x", "source/deep/y", "source/deep"];
      // The two directories, the root, and under "source" what parts it from "deep", a directory too.
      for (const order of [keys, [...keys].reverse(), [3, 5, 6, 1, 4, 0, 2].map((i) => keys[i]!)]) {
        const tree = new Tree(variant);
        for (const [i, key] of order.entries()) assert.equal(tree.insert(key, BigInt(i)), STATUS.Ok);
        assert.deepEqual(tree.inspect(), [4, 0, 0, 0, 7]);
        checkAll(tree, new Map(order.map((key, i) => [key, BigInt(i)])));
        // The keys that end inside of a prefix are replaced, wide values for narrow ones too.
        for (const key of order) assert.equal(tree.insert(key, 1n << 60n), STATUS.Ok);
        checkAll(tree, new Map(order.map((key) => [key, 1n << 60n])));
      }
    });

    it(`finds what is before, at and behind a key that ends inside of a prefix (${variant.label})`, () => {
      const tree = new Tree(variant);
      const model: Model = new Map(["ab", "abc/de", "abc/df", "abc"].map((key, i) => [key, BigInt(i)]));
      for (const [key, value] of model) assert.equal(tree.insert(key, value), STATUS.Ok);
      for (const from of [
        "",
        "a",
        "aa",
        "ab",
        "ab!",
        "abb",
        "abc",
        "abc!",
        "abc/",
        "abc/d",
        "abc/de",
        "abc0",
        "b",
      ]) {
        assert.equal(tree.find(from), model.get(from), from);
        assert.deepEqual(tree.longest(from), longestOf(model, from), from);
      }
    });

    it(`takes paths as long as the limit (${variant.label})`, () => {
      const tree = new Tree(variant);
      const model: Model = new Map();
      const add = (key: string): void => {
        assert.equal(tree.insert(key, BigInt(key.length)), STATUS.Ok);
        model.set(key, BigInt(key.length));
      };
      const long = "x".repeat(4000);
      for (let i = 0; i < 96; i++) add(long + String.fromCharCode(160 - i) + "y".repeat(i));
      // A branch at each of the last 2,000 depths, and a leaf of each length.
      for (let length = PATH_MAX; length > 2000; length -= 3) add("x".repeat(length));
      add("");
      add(`${"d/".repeat(2047)}ef`);
      checkAll(tree, model);
      assert.equal(tree.insert("x".repeat(PATH_MAX + 1), 1n), STATUS.PathTooLong);
      assert.equal(tree.find("x".repeat(PATH_MAX + 1)), undefined);
      assert.equal(tree.longest("x".repeat(PATH_MAX + 1)), undefined);
      assert.deepEqual(tree.longest(`${"d/".repeat(2047)}e/`), [0, 0n]);
    });

    it(`never finds a key with a NUL, nor takes one (${variant.label})`, () => {
      const tree = new Tree(variant);
      const model: Model = new Map(["", "a", "a/b", "ab", "abc", "b"].map((key, i) => [key, BigInt(i)]));
      for (const [key, value] of model) assert.equal(tree.insert(key, value), STATUS.Ok);
      for (const key of model.keys()) {
        for (let i = 0; i <= key.length; i++) {
          for (const nul of ["\0", "\0\0", "\0/"]) {
            const bad = key.slice(0, i) + nul + key.slice(i);
            assert.equal(tree.insert(bad, 9n), STATUS.InvalidArgument);
            assert.equal(tree.find(bad), undefined, JSON.stringify(bad));
            assert.deepEqual(tree.longest(bad), longestOf(model, bad), JSON.stringify(bad));
          }
        }
      }
      checkAll(tree, model);
    });

    it(`looks up by its shortcuts while the tree changes (${variant.label})`, () => {
      const tree = new Tree(variant);
      const random = seeded(21);
      const before = tree.raw.heapUsed();
      const names = ["source", "sour", "library/deep", "s", "x".repeat(60), "\xfe\xff"];
      // Directories about as long as a shortcut holds, of which many share their beginnings.
      const directories = Array.from({ length: 300 }, () =>
        Array.from({ length: 1 + random(9) }, () => names[random(names.length)]!).join("/"),
      );
      const model: Model = new Map();
      const keys: string[] = [];
      for (let i = 0; i < (variant.debug ? 12_000 : 40_000); i++) {
        const key = `${directories[random(300)]}/${random(20_000).toString(36)}`;
        if (i < 3000 || random(12) === 0) {
          const value = randomValue(random);
          assert.equal(tree.insert(key, value), STATUS.Ok);
          model.set(key, value);
          keys.push(key);
        }
        const known = keys[random(keys.length)]!;
        assert.equal(tree.find(known), model.get(known), JSON.stringify(known));
        assert.equal(tree.find(key), model.get(key), JSON.stringify(key));
        const cut = key.slice(0, random(key.length));
        assert.equal(tree.find(cut), model.get(cut), JSON.stringify(cut));
      }
      checkAll(tree, model);
      tree.raw.artReset();
      assert.equal(tree.raw.heapUsed(), before);
      for (const key of keys.slice(0, 100)) assert.equal(tree.find(key), undefined);
    });

    it(`stays whole when memory ends, and starts anew after a reset (${variant.label})`, () => {
      for (const maxBytes of [0, 100, 6_000, 66_000, 200_000, 1_000_000]) {
        const tree = new Tree(variant, maxBytes);
        const random = seeded(maxBytes);
        for (let round = 0; round < 2; round++) {
          const model: Model = new Map();
          let failures = 0;
          for (let i = 0; failures < 50; i++) {
            assert.ok(i < 100_000, "the cap is not kept");
            const key = random(50) ? randomKey(random) + random(i + 1) : "z".repeat(random(PATH_MAX));
            const value = randomValue(random);
            const status = tree.insert(key, value);
            assert.ok(tree.bytes <= maxBytes);
            if (status === STATUS.Ok) {
              model.set(key, value);
            } else {
              assert.equal(status, STATUS.OutOfMemory);
              assert.equal(tree.find(key), model.get(key));
              failures++;
            }
          }
          assert.equal(model.size === 0, maxBytes === 0);
          checkAll(tree, model);
          const used = tree.raw.heapUsed();
          const held = tree.bytes;
          tree.raw.artReset();
          assert.equal(tree.raw.heapUsed(), used - held, "all slabs go back");
          checkAll(tree, new Map());
        }
      }
    });

    it(`survives a heap that has no more (${variant.label})`, () => {
      const tree = new Tree(variant);
      while (tree.raw.heapAlloc(1 << 20));
      while (tree.raw.heapAlloc(1 << 12));
      const model: Model = new Map();
      for (let i = 0; ; i++) {
        const status = tree.insert(`k${i}`, BigInt(i));
        if (status === STATUS.OutOfMemory) break;
        model.set(`k${i}`, BigInt(i));
      }
      checkAll(tree, model);
    });

    it(`reads keys that end where memory ends (${variant.label})`, () => {
      const tree = new Tree(variant);
      const keys = ["", "a", "docs/readme.md", "docs/readme.md/very/long/name/of/a/file"];
      for (const [i, key] of keys.entries()) tree.insert(key, BigInt(i));
      const e = tree.raw;
      // A page of the host's own behind the heap.
      e.memory.grow(1);
      const end = e.memory.buffer.byteLength;
      for (const [i, key] of keys.entries()) {
        const at = end - key.length;
        Buffer.from(e.memory.buffer).write(key, at, "latin1");
        assert.equal(e.artFind(at, key.length), 1);
        assert.equal(BigInt(i), e.artValue.value);
        assert.equal(e.artLongest(at, key.length), key.length);
        assert.equal(e.artInsert(at, key.length, BigInt(i)), STATUS.Ok);
      }
    });
  }
});
