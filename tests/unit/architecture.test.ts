/** docs/ARCHITECTURE.md: its drawing holds every import between folders, and imports go one way. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
const page = readFileSync(join(ROOT, "docs/ARCHITECTURE.md"), "utf8");

/** Boxes of the drawings by the file or folder that they stand for, and arrows between them. */
function readDrawings(): { boxes: Map<string, string>; arrows: Map<string, Set<string>> } {
  const boxes = new Map<string, string>();
  const arrows = new Map<string, Set<string>>();
  for (const [, drawing] of page.matchAll(/```mermaid\n(.*?)```/gs)) {
    for (const [, id, label] of drawing!.matchAll(/\b(\w+)\["([^"]+)"\]/g))
      for (const path of label!.split(/<br>|, /)) boxes.set(path, id!);
    for (const [, from, targets] of drawing!.matchAll(/^ *(\w+) --> ([\w &]+)$/gm)) {
      const known = arrows.get(from!) ?? new Set();
      for (const to of targets!.split(" & ")) known.add(to);
      arrows.set(from!, known);
    }
  }
  return { boxes, arrows };
}

const SPECIFIERS = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")).imports as Record<
  string,
  Record<string, string>
>;

/** The sources, without their suffix, that an import of a file may lead to: `#name` leads to one for each kind of host. */
function targetsOf(file: string, specifier: string): string[] {
  if (specifier.startsWith(".")) return [normalize(join(dirname(file), specifier)).replace(/\.js$/, "")];
  const [, stem, name] = /^(#[^/]+)(?:\/(.*))?$/.exec(specifier)!;
  const byHost = SPECIFIERS[name === undefined ? stem! : `${stem}/*`];
  assert.ok(byHost !== undefined, `${file}: package.json has no ${specifier} among its imports`);
  return Object.values(byHost).map((path) =>
    path
      .replace("./dist/", "")
      .replace("*", name ?? "")
      .replace(/\.js$/, ""),
  );
}

/** Imports between boxes, by the first file found for each. Generated modules are left out. */
function readImports(boxes: Map<string, string>): Map<string, Map<string, string>> {
  const boxOf = (file: string): string | undefined => {
    for (let path = file; path !== "."; path = dirname(path)) {
      const box = boxes.get(path);
      if (box !== undefined) return box;
    }
    return undefined;
  };
  const imports = new Map<string, Map<string, string>>();
  for (const top of ["asm", "src", "guest", "tools"])
    for (const name of readdirSync(join(ROOT, top), { recursive: true, encoding: "utf8" })) {
      if (!name.endsWith(".ts")) continue;
      const file = join(top, name);
      const from = boxOf(file);
      assert.ok(from !== undefined, `${file} is in no box of the drawings`);
      const source = readFileSync(join(ROOT, file), "utf8").replace(/^[^\n]*'export \* from[^\n]*$/gm, "");
      for (const [, specifier] of source.matchAll(
        /^(?:import|export|\} from)[^;]*?"((?:\.{1,2}\/|#)[^"]+)"/gm,
      ))
        for (const target of targetsOf(file, specifier!)) {
          const to = boxOf(`${target}.ts`);
          if (to === undefined || to === from) continue;
          if (!imports.has(from)) imports.set(from, new Map());
          imports.get(from)!.set(to, `${file} imports ${specifier}`);
        }
    }
  return imports;
}

/** All that can be reached from a box along arrows. Fails where arrows lead back. */
function reach(arrows: Map<string, Set<string>>): Map<string, Set<string>> {
  const reached = new Map<string, Set<string>>();
  const visit = (box: string, way: string[]): Set<string> => {
    assert.ok(!way.includes(box), `arrows go in a circle: ${[...way, box].join(" → ")}`);
    const known = reached.get(box);
    if (known !== undefined) return known;
    const all = new Set<string>();
    for (const to of arrows.get(box) ?? [])
      for (const further of [to, ...visit(to, [...way, box])]) all.add(further);
    reached.set(box, all);
    return all;
  };
  for (const box of arrows.keys()) visit(box, []);
  return reached;
}

const { boxes, arrows } = readDrawings();
const imports = readImports(boxes);
const reached = reach(arrows);

test("every import between folders follows the drawing's arrows", () => {
  let count = 0;
  for (const [from, targets] of imports)
    for (const [to, example] of targets) {
      assert.ok(reached.get(from)?.has(to), `${from} --> ${to}: ${example}`);
      count++;
    }
  assert.ok(count > 60);
});

test("every arrow of the drawing is an import", () => {
  for (const [from, targets] of arrows)
    for (const to of targets) assert.ok(imports.get(from)?.has(to), `${from} --> ${to}`);
});

test("every box of the drawing is there", () => {
  const drawn = new Set(boxes.values());
  for (const [from, targets] of arrows) for (const box of [from, ...targets]) assert.ok(drawn.has(box), box);
  for (const path of boxes.keys())
    assert.ok(readdirSync(join(ROOT, dirname(path))).includes(path.slice(path.lastIndexOf("/") + 1)), path);
});

test("verify imports nothing of make, and what lists and packs imports neither verify nor the reader", () => {
  const of = (part: string): string => boxes.get(part)!;
  for (const [from, to] of [
    ["src/verify", "src/make"],
    // make itself reads and verifies images that it is given as inputs.
    ...["src/make/pack", "src/make/source", "src/make/git"].flatMap((part) => [
      [part, "src/verify"],
      [part, "src/volume"],
    ]),
    ["src/git", "src/devices"],
    ["src/core", "src/make"],
  ])
    assert.ok(!reached.get(of(from!))?.has(of(to!)), `${from} --> ${to}`);
});
