/** Draws the figures of `npm run scale` as an SVG for light and dark pages: docs/figures/scale.json to scale.svg. */
import { readFileSync, writeFileSync } from "node:fs";
import type { PeerFigures } from "./peers.js";

/** The figures of one run, as `npm run scale` prints them. */
interface Run extends Omit<PeerFigures, "name" | "missing"> {
  files: number;
  imageBytes: number;
  wasmBytes: number;
  peers?: readonly PeerFigures[];
}

/** The figures that a panel shows: of our own run, or of a peer's. */
type Figures = Omit<Run, "wasmBytes"> & { bytes?: number; wasmBytes?: number };

/** A panel: a figure over the number of files, both on logarithmic scales. */
interface Panel {
  title: string;
  unit: string;
  /** Undefined where it was not measured. */
  figureOf(run: Figures): number | undefined;
  /** A line that our values should stay below. */
  limit?: number;
}

/** A line of each panel. */
interface Series {
  name: string;
  /** Its class in the style. */
  style: string;
  /** The figures of a run; undefined where there are none. */
  figuresOf(run: Run): Figures | undefined;
}

const peer = (name: string, style: string): Series => ({
  name,
  style,
  figuresOf: (run) => {
    const found = run.peers?.find((figures) => figures.name === name && figures.missing === undefined);
    return found && { ...found, files: run.files, imageBytes: found.bytes! };
  },
});

const SERIES: readonly Series[] = [
  { name: "docteur", style: "ours", figuresOf: (run) => run },
  peer("squashfs (zstd)", "squashfs"),
  peer("git", "git"),
];

const MB = 1e6;
const megabytes = (bytes: number | undefined): number | undefined => bytes && bytes / MB;

const PANELS: readonly Panel[] = [
  { title: "Size", unit: "MB", figureOf: (run) => megabytes(run.imageBytes) },
  { title: "Making it, processor time", unit: "s", figureOf: (run) => run.makeProcessorSeconds },
  {
    title: "Memory to make it",
    unit: "MB",
    figureOf: (run) => megabytes(run.makeMemory?.peakBytes),
    limit: 512,
  },
  { title: "Look-up, median", unit: "µs", figureOf: (run) => run.lookupMicroseconds?.p50 },
  { title: "Reading a file, median", unit: "µs", figureOf: (run) => run.readMicroseconds?.p50 },
  {
    title: "Memory to read",
    unit: "MB",
    figureOf: (run) => megabytes(run.wasmBytes ?? run.servingMemory?.peakAnonymousBytes),
    limit: 33.6,
  },
];

const WIDTH = 250;
const HEIGHT = 190;
const COLUMNS = 3;
/** Around the plot of a panel. */
const MARGIN = { left: 46, right: 14, top: 34, bottom: 30 };

/** Below the panels: the names of the series. */
const LEGEND = 34;

const STYLE = `svg { color: #1f2328; background: #ffffff; font: 12px system-ui, sans-serif }
.line { fill: none; stroke-width: 2 }
.ours { --colour: #0969da }
.squashfs { --colour: #9a6700 }
.git { --colour: #8250df }
.line { stroke: var(--colour) }
.dot { fill: var(--colour) }
.squashfs.line { stroke-dasharray: 6 3 }
.git.line { stroke-dasharray: 2 3 }
.grid { stroke: currentColor; stroke-opacity: 0.15 }
.limit { stroke: #cf222e; stroke-dasharray: 4 3 }
text { fill: currentColor }
.title { font-weight: 600 }
@media (prefers-color-scheme: dark) {
  svg { color: #e6edf3; background: #0d1117 }
  .ours { --colour: #58a6ff }
  .squashfs { --colour: #d29922 }
  .git { --colour: #bc8cff }
  .limit { stroke: #ff7b72 }
}`;

/** A place in the picture, to a tenth. */
const at = (value: number): string => (Math.round(value * 10) / 10).toString();

/** Three significant digits at the most. */
const short = (value: number): string => Number(value.toPrecision(3)).toLocaleString("en");

/** Powers of ten around values. */
function decades(values: readonly number[]): [number, number] {
  const low = Math.floor(Math.log10(Math.min(...values)));
  return [low, Math.max(low + 1, Math.ceil(Math.log10(Math.max(...values))))];
}

/** A point of a line: the number of files, and the figure. */
type Point = readonly [files: number, value: number];

/** The points of a series in a panel. */
function pointsOf({ figureOf }: Panel, { figuresOf }: Series, runs: readonly Run[]): Point[] {
  return runs.flatMap((run) => {
    const figures = figuresOf(run);
    const value = figures && figureOf(figures);
    return value === undefined ? [] : [[run.files, value] as const];
  });
}

/** Where a panel puts files and values. */
interface Scale {
  x(files: number): number;
  y(value: number): number;
}

/**
 * The lines and numbers behind the points.
 * @param counts files of all runs, so that all panels are alike
 * @returns them with the scale that they are for
 */
function drawAxes(
  { limit }: Panel,
  values: readonly number[],
  counts: readonly number[],
): { scale: Scale; parts: string[] } {
  const [low, high] = decades(limit === undefined ? values : [...values, limit]);
  const [first, last] = decades(counts);
  const right = WIDTH - MARGIN.right;
  const x = (files: number): number =>
    MARGIN.left + ((Math.log10(files) - first) / (last - first)) * (right - MARGIN.left);
  const y = (value: number): number =>
    HEIGHT -
    MARGIN.bottom -
    ((Math.log10(value) - low) / (high - low)) * (HEIGHT - MARGIN.top - MARGIN.bottom);
  const across = (kind: string, value: number): string =>
    `<line class="${kind}" x1="${MARGIN.left}" x2="${right}" y1="${at(y(value))}" y2="${at(y(value))}"/>`;
  const parts: string[] = [];
  for (let power = low; power <= high; power++) {
    parts.push(across("grid", 10 ** power));
    parts.push(
      `<text x="${MARGIN.left - 6}" y="${at(y(10 ** power))}" dy="4" text-anchor="end">${short(10 ** power)}</text>`,
    );
  }
  for (let power = first; power <= last; power++)
    parts.push(
      `<text x="${at(x(10 ** power))}" y="${HEIGHT - 10}" text-anchor="middle">10${[..."⁰¹²³⁴⁵⁶⁷⁸⁹"][power]}</text>`,
    );
  if (limit !== undefined) parts.push(across("limit", limit));
  return { scale: { x, y }, parts };
}

function drawPanel(panel: Panel, runs: readonly Run[]): string {
  const lines = SERIES.map((series) => ({ series, points: pointsOf(panel, series, runs) }));
  const values = lines.flatMap(({ points }) => points.map(([, value]) => value));
  const counts = runs.map(({ files }) => files);
  const { scale, parts } = drawAxes(panel, values, counts);
  parts.unshift(`<text class="title" x="${MARGIN.left}" y="18">${panel.title}, ${panel.unit}</text>`);
  for (const { series, points } of lines) {
    const places = points.map(([files, value]) => [at(scale.x(files)), at(scale.y(value))] as const);
    parts.push(
      `<polyline class="line ${series.style}" points="${places.map((place) => place.join(",")).join(" ")}"/>`,
    );
    for (const [index, [left, top]] of places.entries()) {
      const [files, value] = points[index]!;
      const text = `${series.name}, ${files.toLocaleString("en")} files: ${short(value)} ${panel.unit}`;
      parts.push(
        `<circle class="dot ${series.style}" cx="${left}" cy="${top}" r="3"><title>${text}</title></circle>`,
      );
    }
  }
  return parts.join("\n");
}

/** The names of the series that have points. */
function drawLegend(runs: readonly Run[], top: number): string {
  const there = SERIES.filter(({ figuresOf }) => runs.some((run) => figuresOf(run) !== undefined));
  return there
    .map(({ name, style }, index) => {
      const left = MARGIN.left + index * 150;
      const line = `<polyline class="line ${style}" points="${left},${top} ${left + 28},${top}"/>`;
      return `${line}\n<circle class="dot ${style}" cx="${left + 14}" cy="${top}" r="3"/>\n<text x="${left + 36}" y="${top}" dy="4">${name}</text>`;
    })
    .join("\n");
}

/** The picture of some runs, in the order of their files. */
export function drawScale(runs: readonly Run[]): string {
  const rows = Math.ceil(PANELS.length / COLUMNS);
  const width = COLUMNS * WIDTH;
  const height = rows * HEIGHT + LEGEND;
  const panels = PANELS.map((panel, index) => {
    const place = `${(index % COLUMNS) * WIDTH},${Math.floor(index / COLUMNS) * HEIGHT}`;
    return `<g transform="translate(${place})">\n${drawPanel(panel, runs)}\n</g>`;
  });
  const title = "<title>docteur, squashfs and git by the number of files, on logarithmic scales</title>";
  const parts = [title, `<style>\n${STYLE}\n</style>`, ...panels, drawLegend(runs, height - LEGEND / 2)];
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img">\n${parts.join("\n")}\n</svg>\n`;
}

/** Draws the figures of the file beside the picture. */
export function plotScale(figures: URL): void {
  const runs = JSON.parse(readFileSync(figures, "utf8")) as Run[];
  writeFileSync(new URL("scale.svg", figures), drawScale(runs));
}
