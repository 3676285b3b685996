/** Repositories with objects that git itself would not write, as loose objects (gitrepository-layout). */
import { createHash } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { deflateSync } from "node:zlib";

const PEOPLE = "author A <a@example.org> 1717740550 +0200\ncommitter C <c@example.org> 1717740550 +0200\n";

/** A bare repository without any check of its content. */
export class CraftedRepository {
  readonly path: string;

  /** @param path a folder that is not there yet */
  constructor(path: string) {
    this.path = path;
    mkdirSync(join(path, "objects"), { recursive: true });
    mkdirSync(join(path, "refs", "heads"), { recursive: true });
    writeFileSync(join(path, "HEAD"), "ref: refs/heads/main\n");
    writeFileSync(join(path, "config"), "[core]\n\trepositoryformatversion = 0\n\tbare = true\n");
  }

  /**
   * Writes an object.
   * @param oid what it is called, 40 hexadecimal digits: by default its id
   * @returns what it is called
   */
  write(kind: string, content: Uint8Array | string, oid?: string): string {
    const bytes = Buffer.concat([
      Buffer.from(`${kind} ${Buffer.byteLength(content)}\0`),
      Buffer.from(content),
    ]);
    const name = oid ?? createHash("sha1").update(bytes).digest("hex");
    const folder = join(this.path, "objects", name.slice(0, 2));
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, name.slice(2)), deflateSync(bytes, { level: 1 }));
    return name;
  }

  /** Writes a tree of entries as they are given. @param entries mode, name (a byte to a character) and id of each */
  tree(entries: readonly (readonly [mode: string, name: string, oid: string])[]): string {
    const parts = entries.map(([mode, name, oid]) =>
      Buffer.concat([Buffer.from(`${mode} ${name}\0`, "latin1"), Buffer.from(oid, "hex")]),
    );
    return this.write("tree", Buffer.concat(parts));
  }

  /** Writes a commit of a tree, which `main` and HEAD lead to then. @param rest follows its first line */
  commit(tree: string, rest = `${PEOPLE}\nmessage\n`): string {
    return this.head(this.write("commit", `tree ${tree}\n${rest}`));
  }

  /** Has `main` and HEAD lead to a commit. */
  head(commit: string): string {
    writeFileSync(join(this.path, "refs", "heads", "main"), `${commit}\n`);
    return commit;
  }
}
