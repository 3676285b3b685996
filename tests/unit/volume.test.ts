/** The volume over images that docteur 0.0.7 made: every file, every mode, every build of the core. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type BlockDevice, type DocteurError, MemoryDevice, open, type Volume } from "../../src/index.js";
import { makeImage } from "../../src/make/index.js";
import { coreVariants, MODES } from "../support/core.js";
import { FIXTURES, fixture, fixtureBlobs, fixtureLines, fixturePath, gitOid } from "../support/fixtures.js";

const variants = await coreVariants();

/** Everything below a directory, as `git ls-tree -r -t` prints it but in our order. */
async function treeLines(volume: Volume, path = "/"): Promise<string[]> {
  const lines: string[] = [];
  for (const { kind, mode, oid, path: child } of await volume.list(path)) {
    const gitKind = kind === "directory" ? "tree" : kind === "submodule" ? "commit" : "blob";
    lines.push(`${mode.toString(8).padStart(6, "0")} ${gitKind} ${oid}\t${child.slice(1)}`);
    if (kind === "directory") lines.push(...(await treeLines(volume, child)));
  }
  return lines;
}

function hasCode(code: string): (error: DocteurError) => boolean {
  return (error) => {
    assert.equal(error.code, code);
    return true;
  };
}

for (const { label, module } of variants) {
  for (const mode of MODES) {
    test(`every file of every fixture (${label}, ${mode})`, async () => {
      for (const name of FIXTURES) {
        const volume = await open(fixture(`${name}.img`), { mode, module });
        for (const [path, oid] of fixtureBlobs(name)) {
          const data = await volume.get(path);
          assert.equal(gitOid("blob", data), oid, `${name}${path}`);
          assert.equal(await volume.digest(path), oid);
          assert.equal(await volume.size(path), data.length);
          assert.equal(await volume.exists(path), "value");
        }
        await volume.close();
      }
    });

    test(`executables, symlinks and the submodule, which docteur 0.0.7 cannot see (${label}, ${mode})`, async () => {
      const volume = await open(fixture("gitmodes.img"), { mode, module });
      assert.deepEqual((await treeLines(volume)).sort(), fixtureLines("gitmodes.tree.txt").sort());
      const text = async (path: string, follow = false): Promise<string> =>
        new TextDecoder().decode(await volume.get(path, { follow }));
      assert.equal(await text("/link.txt"), "hello.txt");
      assert.equal(await text("/link.txt", true), await text("/hello.txt"));
      assert.equal(await text("/dirlink/f", true), await text("/dir/f"));
      assert.deepEqual(
        (await volume.list("/dirlink", { follow: true })).map((entry) => entry.name),
        ["f"],
      );
      assert.equal(await text("/dangling"), "nowhere");
      await assert.rejects(volume.get("/dangling", { follow: true }), hasCode("NotFound"));
      await assert.rejects(volume.get("/dirlink/f"), hasCode("NotFound"));
      await assert.rejects(volume.get("/vendor/sub"), hasCode("Submodule"));
      await assert.rejects(volume.get("/vendor/sub/x"), hasCode("Submodule"));
      assert.equal(await volume.digest("/vendor/sub"), "ae83c9c50ae822b4661085caa5eece32aa2dce0b");
      assert.equal((await volume.stat("/bin/run.sh")).kind, "executable");
      assert.equal(gitOid("blob", await volume.get("/bin/run.sh")), await volume.digest("/bin/run.sh"));
    });
  }

  test(`path forms, kinds and errors (${label})`, async () => {
    const volume = await open(fixture("tiny.img"), { module });
    const expected = await volume.get("/a/b/c/d/deep.txt");
    for (const path of [
      "a/b/c/d/deep.txt",
      "//a///b/c/./d/deep.txt/",
      "/x/../a/b/y/../c/d/deep.txt",
      "../../a/b/c/d/deep.txt",
    ])
      assert.deepEqual(await volume.get(path), expected, path);
    assert.deepEqual(await volume.get(new TextEncoder().encode("/a/b/c/d/deep.txt")), expected);
    for (const root of ["", "/", ".", "/..", "//", "/a/.."]) {
      assert.equal(await volume.exists(root), "dictionary", root);
      assert.equal((await volume.stat(root)).path, "/");
      assert.equal(await volume.digest(root), volume.commit.tree);
    }
    assert.equal(await volume.exists("/nope"), null);
    assert.equal(await volume.exists("/hello.txt/nope"), null);
    assert.equal(await volume.exists("/a\0b"), null);
    await assert.rejects(volume.get("/nope"), hasCode("NotFound"));
    await assert.rejects(volume.get("/a"), hasCode("ValueExpected"));
    await assert.rejects(volume.size("/a"), hasCode("ValueExpected"));
    await assert.rejects(volume.list("/hello.txt"), hasCode("DictionaryExpected"));
    await assert.rejects(volume.get("/".padEnd(5000, "x")), hasCode("PathTooLong"));
    await assert.rejects(volume.get("/".padEnd(9000, "x")), hasCode("PathTooLong"));
    await assert.rejects(volume.get(`/${"x/".repeat(1000)}`), hasCode("TreeTooDeep"));
    assert.deepEqual(
      (await volume.list("/")).map((entry) => entry.path),
      [
        "/.config",
        "/.hidden",
        "/a",
        "/a-b",
        "/a.txt",
        "/a0",
        "/empty",
        "/hello.txt",
        "/naïve 日本語.txt",
        "/with space",
        "/ü",
      ],
    );
    assert.equal((await volume.get("/empty")).length, 0);
  });

  test(`parts of files (${label})`, async () => {
    for (const [name, path] of [
      ["delta", "/d0/file007.txt"],
      ["aligned", "/r.bin"],
    ] as const) {
      const volume = await open(fixture(`${name}.img`), { module });
      const whole = await volume.get(path);
      for (const [offset, length] of [
        [0, 10],
        [100, 200],
        [whole.length - 5, 100],
        [whole.length, 10],
        [whole.length + 99, 1],
        [7, 0],
        [0, 1e9],
      ] as const)
        assert.deepEqual(
          await volume.getPartial(path, offset, length),
          whole.slice(offset, offset + length),
          `${offset}+${length}`,
        );
      await assert.rejects(volume.getPartial(path, -1, 5), hasCode("InvalidArgument"));
    }
  });

  test(`sizes in listings, and objects by id (${label})`, async () => {
    const volume = await open(fixture("gitdelta.img"), { module });
    for (const entry of await volume.list("/d3", { sizes: true })) {
      const data = await volume.get(entry.path);
      assert.equal(entry.size, data.length);
      assert.deepEqual(await volume.object(entry.oid), { kind: "blob", data });
    }
    const { kind, data } = await volume.object(volume.commit.oid);
    assert.equal(kind, "commit");
    assert.equal(gitOid("commit", data), volume.commit.oid);
    await assert.rejects(volume.object("0".repeat(40)), hasCode("MissingObject"));
    await assert.rejects(volume.object("xyz"), hasCode("InvalidArgument"));
  });
}

test("all sources are the same image", async () => {
  const bytes = fixture("tiny.img");
  const sources = [
    fixturePath("tiny.img"),
    new URL(`file://${fixturePath("tiny.img")}`),
    bytes,
    bytes.buffer as ArrayBuffer,
    new MemoryDevice(bytes),
  ];
  for (const source of sources) {
    const volume = await open(source);
    assert.equal(volume.commit.oid, "7ad85c0683dd15532593efd1409b62db93f4481f");
    assert.equal(volume.commit.date?.toISOString(), "2024-06-07T06:09:10.000Z");
    assert.deepEqual(await volume.lastModified("/a"), volume.commit.date);
    await volume.close();
    await volume.close();
    await assert.rejects(volume.get("/hello.txt"), hasCode("Closed"));
  }
});

test("what cannot be opened says why", async () => {
  await assert.rejects(open("/no/such/file.img"), hasCode("Io"));
  await assert.rejects(open(new URL("ftp://example.org/disk.img")), hasCode("InvalidArgument"));
  await assert.rejects(open(new Uint8Array(0)), hasCode("Truncated"));
  await assert.rejects(open(new Uint8Array(513)), hasCode("Truncated"));
  await assert.rejects(open(new Uint8Array(512)), hasCode("BadPack"));
  await assert.rejects(open(fixture("tiny.img"), { memoryLimit: 1 }), hasCode("InvalidArgument"));
  await assert.rejects(open(fixture("tiny.img"), { blockSize: 100 }), hasCode("InvalidArgument"));
  await assert.rejects(open(fixture("tiny.img"), { mode: "slow" as never }), hasCode("InvalidArgument"));
});

test("opening reads little, and the memory cap holds", async () => {
  const volume = await open(fixture("delta.img"), { memoryLimit: 2 << 20 });
  assert.ok(volume.stats().deviceBytes <= 65536, `${volume.stats().deviceBytes} bytes read`);
  for (const [path, oid] of fixtureBlobs("delta")) assert.equal(gitOid("blob", await volume.get(path)), oid);
  assert.ok(volume.stats().memoryBytes <= 2 << 20);
});

test("a device that throws is a device that failed, and the volume outlives it", async () => {
  const bytes = fixture("gitdelta.img");
  const memory = new MemoryDevice(bytes);
  let isBroken = false;
  const device: BlockDevice = {
    blockSize: 512,
    capacity: bytes.length,
    read(offset, target) {
      if (isBroken) throw new Error("out of order");
      return memory.read(offset, target);
    },
  };
  const volume = await open(device);
  const failed = (error: DocteurError): boolean => {
    assert.deepEqual([error.code, (error.cause as Error).message], ["DeviceFailed", "out of order"]);
    return true;
  };
  isBroken = true;
  await assert.rejects(open(device), failed);
  await assert.rejects(volume.get("/d3/file003.txt"), failed);
  isBroken = false;
  assert.equal(gitOid("blob", await volume.get("/d3/file003.txt")), await volume.digest("/d3/file003.txt"));
});

test("a byte order mark is a part of a name and of a link's target", async () => {
  const { image } = await makeImage({ "\ufeffa": "a", link: { link: "\ufeffa" } });
  const volume = await open(image);
  assert.deepEqual(
    (await volume.list("/")).map(({ name, path }) => [name, path]),
    [
      ["link", "/link"],
      ["\ufeffa", "/\ufeffa"],
    ],
  );
  assert.equal(await volume.readlink("/link"), "\ufeffa");
  assert.equal(await volume.text("/\ufeffa"), "a");
});
