/**
 * Findings about trees: defects of a tree and of its entries' objects, by path. All of them have weighed in the verdict
 * before. If there is no memory to read a tree again, they are told in fewer words.
 */
import { pathFields, shown } from "../git/byte-string.js";
import { OID, PACK_START } from "../git/entry.js";
import { bytesOf, examineTree } from "../git/examine-tree.js";
import { hexOid } from "../git/oid.js";
import { TREE_DEFECTS, type TreeDefect } from "../git/tree-defects.js";
import { ENTRY } from "../git/tree-mode.js";
import { isDelta, type Rows } from "./entry-table.js";
import { MORE_MEMORY } from "./out-of-memory.js";
import type { Findings, Place, Severity } from "./report.js";
import type { Resolver } from "./resolve.js";

/** The most names in a path (`asm/base/limits.ts`). */
const TREE_DEPTH = 512;
/** The most bytes of a path. */
const PATH_MAX = 4096;
/** Bytes that may be inflated to tell paths. An object counts for some more bytes than it has. */
const PATHS_COST = 2 ** 29;
const OBJECT_COST = 4096;
const UNREACHED = "a tree that nothing leads to";
const MEMORY_HINT = `there is too little memory to tell more: ${MORE_MEMORY}`;

/** An entry of a tree that leads to a wrong or missing object. */
export interface BadEdge {
  /** The tree's row. */
  tree: number;
  /** The entry's number in the tree. */
  index: number;
  /** The resulting code: `Unchecked` if it is not known whether the object is missing. */
  severity: Severity;
  code: "MissingObject" | "WrongKind" | "Unchecked";
}

/** Reports the defects of trees. */
export class TreeFindings {
  readonly #rows: Rows;
  readonly #parents: Int32Array;
  readonly #resolver: Resolver;
  readonly #findings: Findings;
  /** The names of rows in the trees that led to them first, as far as they were asked for. */
  readonly #names = new Map<number, string | undefined>();
  #pathsCost = 0;

  /**
   * @param parents the tree that led to a row first, -1 if none did; for the root, its own row
   */
  constructor(rows: Rows, parents: Int32Array, resolver: Resolver, findings: Findings) {
    this.#rows = rows;
    this.#parents = parents;
    this.#resolver = resolver;
    this.#findings = findings;
  }

  /** Reports the defects of a tree itself. Trees that nothing leads to do no harm. @param worst the worst of them */
  async tellTree(row: number, worst: Severity): Promise<void> {
    const findings = this.#findings;
    const isReached = this.#parents[row]! >= 0;
    const place = isReached ? await this.#placeOf(row) : undefined;
    const oid = this.#oidOf(row);
    const offset = PACK_START + this.#rows.offsets[row]!;
    const where = { oid, offset, ...fieldsOf(place) };
    const subject = place === undefined ? UNREACHED : shown(place.path);
    const content = await this.#resolver.content(row);
    if (content === undefined) {
      findings.add(worst, "BadTree", `${subject}: its tree has a defect: ${oid}`, {
        ...where,
        hint: MEMORY_HINT,
      });
      return;
    }
    examineTree(content, {
      problem: ({ defect, severity, message }) => {
        const weight = isReached ? severity : "warning";
        const code = codeOf(defect);
        if (!findings.takes(weight)) {
          findings.drop(weight, code);
          return;
        }
        const text = code === "BadTree" ? `its tree is malformed: ${message()}` : message();
        findings.add(weight, code, `${subject}: ${text}: ${oid}`, where);
      },
    });
  }

  /** Reports the wrong entries of one tree, in their order. */
  async tellEdges(edges: readonly BadEdge[]): Promise<void> {
    const { tree } = edges[0]!;
    const isReached = this.#parents[tree]! >= 0;
    const findings = this.#findings;
    const wanted = edges.filter(({ severity, code }) => {
      if (findings.takes(severity)) return true;
      findings.drop(severity, code);
      return false;
    });
    if (wanted.length === 0) return;
    const content = await this.#resolver.content(tree);
    const folder = isReached ? await this.#placeOf(tree) : undefined;
    if (content === undefined) {
      const oid = this.#oidOf(tree);
      const name = folder === undefined ? UNREACHED : shown(folder.path);
      const subject = `${name}: the object of an entry of its tree`;
      const place = { hint: MEMORY_HINT, ...fieldsOf(folder) };
      for (const edge of wanted) this.#tell(edge, subject, oid, place);
      return;
    }
    let index = 0;
    let next = 0;
    examineTree(content, {
      item: ({ nameAt, nameEnd, oidAt }) => {
        if (index++ !== wanted[next]?.index) return;
        const name = bytesOf(content, nameAt, nameEnd);
        const oid = hexOid(content.subarray(oidAt));
        const edge = wanted[next++]!;
        if (folder === undefined) this.#tell(edge, `${UNREACHED}: an object of it`, oid, {});
        else {
          const path = `${folder.path === "/" ? "" : folder.path}/${name}`;
          this.#tell(edge, `${shown(path)}: its object`, oid, fieldsOf({ ...folder, path }));
        }
      },
    });
  }

  #tell({ severity, code }: BadEdge, subject: string, oid: string, place: Place): void {
    this.#findings.add(severity, code, `${subject} ${WRONG[code]}: ${oid}`, { oid, ...place });
  }

  #oidOf(row: number): string {
    return hexOid(this.#rows.oids.subarray(row * OID));
  }

  /** The path of a tree that was reached; only its end if it is longer than readers take. */
  async #placeOf(row: number): Promise<TreePlace> {
    let isExact = true;
    const names: string[] = [];
    let length = 0;
    for (let child = row; this.#parents[child] !== child; child = this.#parents[child]!) {
      if (names.length === TREE_DEPTH || length > PATH_MAX)
        return { path: `.../${names.reverse().join("/")}`, isExact: false };
      const name = await this.#nameOf(child);
      isExact &&= name !== undefined;
      names.push(name ?? "?");
      length += (name ?? "?").length + 1;
    }
    return { path: `/${names.reverse().join("/")}`, isExact };
  }

  /** A tree's name in the tree that led to it first; undefined if it cannot be told, or not soon enough. */
  async #nameOf(row: number): Promise<string | undefined> {
    if (this.#names.has(row)) return this.#names.get(row);
    const parent = this.#parents[row]!;
    this.#pathsCost += this.#costOf(parent);
    const content = this.#pathsCost > PATHS_COST ? undefined : await this.#resolver.content(parent);
    const oid = this.#oidOf(row);
    let found: string | undefined;
    if (content !== undefined)
      examineTree(content, {
        item: ({ kind, nameAt, nameEnd, oidAt }) => {
          if (found === undefined && kind === ENTRY.tree && hexOid(content.subarray(oidAt)) === oid)
            found = bytesOf(content, nameAt, nameEnd);
        },
      });
    this.#names.set(row, found);
    return found;
  }

  /** The cost of making an object's content. */
  #costOf(row: number): number {
    const { kinds, bases, sizes } = this.#rows;
    let cost = sizes[row]! + OBJECT_COST;
    for (let at = row; isDelta(kinds[at]!); cost += sizes[at]! + OBJECT_COST) at = bases[at]!;
    return cost;
  }
}

/** The path of a tree. */
interface TreePlace {
  /** A byte string. */
  path: string;
  /** False if a part of it is missing or not known: then it is for people only. */
  isExact: boolean;
}

/** The fields of a finding that tell where it is. */
function fieldsOf(place: TreePlace | undefined): Pick<Place, "path" | "quoted"> {
  return place?.isExact ? pathFields(place.path) : {};
}

/** Says that directories are nested deeper than readers follow. @param depth trees from the root down */
export function checkDepth(depth: number, findings: Findings): void {
  if (depth <= TREE_DEPTH) return;
  const message = `directories are nested ${depth - 1} deep: readers take paths of ${TREE_DEPTH} names`;
  findings.add("warning", "TreeTooDeep", message);
}

/** The error of an entry's object. */
const WRONG = {
  MissingObject: "is not in the image",
  WrongKind: "is of another kind",
  Unchecked: "could not be checked",
} as const;

/**
 * Reports that an object that the commit needs is missing, or may be missing.
 * @param isPartial whether memory may have been too small for the object
 */
export function tellMissing(findings: Findings, oid: string, isPartial: boolean): void {
  const code = isPartial ? "Unchecked" : "MissingObject";
  findings.add(isPartial ? "warning" : "error", code, `an object ${WRONG[code]}: ${oid}`, { oid });
}

/** The code of findings of a defect. */
function codeOf(defect: TreeDefect): "BadTree" | "OddMode" | "OddName" | "NullId" {
  if (TREE_DEFECTS[defect].severity === "error") return "BadTree";
  if (defect === "nullSha1") return "NullId";
  return defect === "badFilemode" || defect === "zeroPaddedFilemode" ? "OddMode" : "OddName";
}
