/** The facts of an image for people: at most 80 columns, with bars on a terminal. */
import { printable, printableLines } from "../../src/text/printable.js";
import { quotePath } from "../../src/text/quoted-path.js";
import { formatBytes, formatCount, formatPercent, groups } from "../cli/format.js";
import { paint } from "../cli/style.js";
import type { Facts, FullFacts, PathFacts } from "./facts.js";

const WIDTH = 80;
const LABEL = 12;
/** Lines and characters of a message that are shown. */
const MESSAGE_LINES = 20;
const MESSAGE_MAX = 2000;
/** Depths with a line of their own; deeper ones are put together by tens. */
const DEPTHS_ALONE = 10;
const BAR = 24;

function row(label: string, text: string): string {
  return `${paint("bold", label)}${" ".repeat(LABEL - label.length)} ${text}\n`;
}

/** A text that fits a line. */
function fitted(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, width - 3)}...`;
}

/** The end of a path that fits. */
function fittedPath(path: string, width: number): string {
  return path.length <= width ? path : `...${path.slice(path.length - width + 3)}`;
}

/** A bar for a share of one. Without bars it is empty. */
function bar(share: number, hasBars: boolean): string {
  if (!hasBars) return "";
  const eighths = Math.round(share * BAR * 8);
  const rest = " ▏▎▍▌▋▊▉"[eighths % 8]!;
  return `  ${paint("green", "█".repeat(eighths >> 3) + (eighths % 8 > 0 ? rest : ""))}`;
}

/** A person, and the date in a row of its own. */
function personRows(label: string, { name, email, date, zone }: Facts["author"]): string {
  const who = fitted(printable(`${name} <${email}>`), WIDTH - LABEL - 1);
  const where = zone === undefined || zone === "+00:00" ? "" : ` (${zone})`;
  return row(label, who) + row("", `${date ?? "no date"}${where}`);
}

function message(text: string): string {
  const lines = printableLines(text.slice(0, MESSAGE_MAX)).trimEnd().split("\n");
  const shown = lines.slice(0, MESSAGE_LINES).map((line) => `    ${line}`.trimEnd());
  const isCut = lines.length > MESSAGE_LINES || text.length > MESSAGE_MAX;
  return lines.length === 1 && lines[0] === "" ? "" : `\n${shown.join("\n")}\n${isCut ? "    ...\n" : ""}\n`;
}

/** Rows of names and bytes, with a bar of each one's share. */
function sizedRows(rows: readonly (PathFacts & { size: number })[], hasBars: boolean): string {
  const most = Math.max(1, ...rows.map(({ size }) => size));
  return rows
    .map(({ path, quoted, size }) => {
      const name = fittedPath(quoted ?? quotePath(path), WIDTH - 12 - (hasBars ? BAR + 2 : 0));
      const width = WIDTH - 12 - BAR - 2;
      const shownBar = bar(size / most, hasBars);
      return `  ${formatBytes(size).padStart(8)}  ${shownBar === "" ? name : name.padEnd(width) + shownBar}\n`;
    })
    .join("");
}

function objectRows(objects: FullFacts["objects"], hasBars: boolean): string {
  const all = Object.values(objects).reduce((sum, { packedBytes }) => sum + packedBytes, 0);
  return Object.entries(objects)
    .filter(([, { count }]) => count > 0)
    .map(([kinds, { count, deltaCount, packedBytes }]) => {
      const noun = (count === 1 ? kinds.slice(0, -1) : kinds).padEnd(7);
      const text = `${groups(count).padStart(11)} ${noun} ${groups(deltaCount).padStart(9)} deltas  ${formatBytes(packedBytes).padStart(7)}`;
      return `${text}${bar(packedBytes / Math.max(all, 1), hasBars)}\n`;
    })
    .join("");
}

/** Depths as they are shown: the first alone, the others by tens. */
function depthGroups(depths: readonly number[]): { name: string; count: number }[] {
  const shown: { name: string; count: number }[] = [];
  for (let first = 0; first < depths.length; ) {
    const length = first < DEPTHS_ALONE ? 1 : DEPTHS_ALONE;
    const last = Math.min(first + length, depths.length) - 1;
    const count = depths.slice(first, last + 1).reduce((sum, one) => sum + one, 0);
    shown.push({ name: first === last ? String(first) : `${first}-${last}`, count });
    first = last + 1;
  }
  return shown;
}

/** The most lines of depths: chains can be as long as an image has objects. */
const DEPTH_LINES = 40;

function depthRows(depths: readonly number[], hasBars: boolean): string {
  const all = depthGroups(depths);
  const most = Math.max(1, ...all.map(({ count }) => count));
  const lines = all
    .slice(0, DEPTH_LINES)
    .map(
      ({ name, count }) =>
        `  ${name.padStart(7)}  ${groups(count).padStart(10)}${bar(count / most, hasBars)}\n`,
    );
  if (all.length > DEPTH_LINES) lines.push(`  and deeper, to ${depths.length - 1}\n`);
  return lines.join("");
}

function counts({ directories, files, executables, symlinks, submodules }: FullFacts["pathCounts"]): string {
  const parts = [formatCount(files + executables, "file")];
  if (executables > 0) parts[0] += ` (${groups(executables)} executable)`;
  parts.push(directories === 1 ? "1 directory" : `${groups(directories)} directories`);
  if (symlinks > 0) parts.push(formatCount(symlinks, "link"));
  if (submodules > 0) parts.push(formatCount(submodules, "submodule"));
  return parts.join(", ");
}

function full(facts: FullFacts & Facts, hasBars: boolean): string {
  const { contentBytes, imageBytes, layout, objects, depths, largestFiles, largestDirectories } = facts;
  const { packOffset, packBytes, idxOffset, idxBytes, layoutOffset, layoutBytes } = layout;
  const ratio = contentBytes === 0 ? "" : `, ${formatPercent(imageBytes / contentBytes)} of the content`;
  const title = (text: string): string => `\n${paint("bold", text)}\n`;
  const parts = [
    row("content", `${formatBytes(contentBytes)} in ${counts(facts.pathCounts)}`),
    row("image", `${formatBytes(imageBytes)}${ratio}`),
    row(
      "layout",
      `header 0-${packOffset - 1}, PACK ${packOffset}-${packOffset + packBytes - 1}, IDX ${idxOffset}-${idxOffset + idxBytes - 1}`,
    ),
    layoutOffset === undefined
      ? ""
      : row("", `layout section ${layoutOffset}-${layoutOffset + layoutBytes - 1}`),
    title("Objects"),
    objectRows(objects, hasBars),
    title("Deltas from an object that is stored whole"),
    depthRows(depths, hasBars),
  ];
  if (largestFiles.length > 0) parts.push(title("Largest files"), sizedRows(largestFiles, hasBars));
  if (largestDirectories.length > 0)
    parts.push(
      title("Largest directories"),
      sizedRows(
        largestDirectories.map(({ contentBytes: size, ...path }) => ({ ...path, size })),
        hasBars,
      ),
    );
  return parts.join("");
}

/** All facts as text. @param hasBars whether to draw bars */
export function describe(facts: Facts, hasBars: boolean): string {
  const { format, parents, author, committer, objectCount, imageBytes } = facts;
  const isOnePerson = JSON.stringify(author) === JSON.stringify(committer);
  const head = [
    row("commit", facts.commit),
    row("tree", facts.tree),
    ...parents.slice(0, 8).map((oid) => row("parent", `${oid} (not in the image)`)),
    personRows("author", author),
    isOnePerson ? "" : personRows("committer", committer),
    message(facts.message),
    row(
      "format",
      `docteur image, PACK version ${format.packVersion}, IDX version ${format.idxVersion}, ${format.compression}`,
    ),
    row("objects", groups(objectCount)),
  ].join("");
  const isFull = facts.layout !== undefined;
  return head + (isFull ? full(facts as FullFacts & Facts, hasBars) : row("image", formatBytes(imageBytes)));
}
