/** Commands that only read end at once by a signal, whatever an image or a pattern keeps them busy with. */
import assert from "node:assert/strict";
import type { ChildProcess } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { docteur } from "../support/cli.js";
import { CraftedImage, imageWith, treeEntry } from "../support/crafted-image.js";
import { temporaryFolder } from "../support/temporary.js";

/** Milliseconds after which a command that took no signal is killed. */
const PATIENCE = 20_000;

/** An image of a few trees with 2^60 paths to one file. */
function bomb(content: string): Uint8Array {
  const image = new CraftedImage();
  let tree = image.tree(treeEntry("100644", "f", image.object("blob", content).oid));
  for (let level = 0; level < 60; level++)
    tree = image.tree(treeEntry("40000", "a", tree.oid), treeEntry("40000", "b", tree.oid));
  image.commit(tree.oid);
  return image.finish().bytes;
}

/** Runs a command, and sends SIGINT at its first output, or after a while. @returns the signal that it died of */
async function interrupt(args: string[], delay?: number): Promise<NodeJS.Signals | null> {
  let last: NodeJS.Timeout | undefined;
  const onStart = (child: ChildProcess): void => {
    const stop = (): void => void child.kill("SIGINT");
    if (delay === undefined) child.stdout!.once("data", stop);
    else setTimeout(stop, delay);
    last = setTimeout(() => child.kill("SIGKILL"), PATIENCE);
  };
  const { signal } = await docteur(args, { onStart });
  clearTimeout(last);
  return signal;
}

function write(t: TestContext, images: Record<string, Uint8Array>): Record<string, string> {
  const folder = temporaryFolder(t);
  for (const [name, bytes] of Object.entries(images)) writeFileSync(join(folder, name), bytes);
  return Object.fromEntries(Object.keys(images).map((name) => [name, join(folder, name)]));
}

test("images with more paths than anybody can print", async (t) => {
  const { image, other } = write(t, { image: bomb("needle"), other: bomb("pin") });
  for (const args of [
    ["ls", "-r", image!],
    ["tree", image!],
    ["find", image!],
    ["grep", "needle", image!],
    ["checksum", image!],
    ["diff", "--no-renames", image!, other!],
  ])
    assert.equal(await interrupt(args), "SIGINT", args[0]);
});

test("a regular expression without an end", async (t) => {
  const text = `${"a".repeat(60)}!`;
  const { image } = write(t, { image: imageWith((crafted) => crafted.object("blob", text)).bytes });
  assert.equal(await interrupt(["grep", "^(a+)+$", image!], 3000), "SIGINT");
});
