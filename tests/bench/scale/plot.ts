/** Draws the figures of `npm run scale` as an SVG for light and dark pages: docs/figures/scale.json to scale.svg. */
import { readFileSync, writeFileSync } from "node:fs";

/** The figures of one run, as `npm run scale` prints them. */
interface Run {
  files: number;
  contentBytes: number;
  makeSeconds: number;
  makePeakBytes: number | null;
  imageBytes: number;
  lookupMicroseconds: { p50: number; p99: number };
  wasmBytes: number;
}

/** A panel: a figure over the number of files, both on logarithmic scales. */
interface Panel {
  title: string;
  unit: string;
  figureOf(run: Run): number;
  /** A line that the values should stay below. */
  limit?: number;
}

const MB = 1e6;
const PANELS: readonly Panel[] = [
  { title: "Image", unit: "MB", figureOf: (run) => run.imageBytes / MB },
  { title: "Making it", unit: "s", figureOf: (run) => run.makeSeconds },
  { title: "Memory to make it", unit: "MB", figureOf: (run) => (run.makePeakBytes ?? 0) / MB, limit: 512 },
  { title: "Look-up, median", unit: "µs", figureOf: (run) => run.lookupMicroseconds.p50 },
  { title: "Wasm memory", unit: "MB", figureOf: (run) => run.wasmBytes / MB, limit: 33.6 },
];

const WIDTH = 250;
const HEIGHT = 190;
const COLUMNS = 3;
/** Around the plot of a panel. */
const MARGIN = { left: 46, right: 14, top: 34, bottom: 30 };

const STYLE = `svg { color: #1f2328; background: #ffffff; font: 12px system-ui, sans-serif }
.line { fill: none; stroke: #0969da; stroke-width: 2 }
.dot { fill: #0969da }
.grid { stroke: currentColor; stroke-opacity: 0.15 }
.limit { stroke: #cf222e; stroke-dasharray: 4 3 }
text { fill: currentColor }
.title { font-weight: 600 }
@media (prefers-color-scheme: dark) {
  svg { color: #e6edf3; background: #0d1117 }
  .line { stroke: #58a6ff }
  .dot { fill: #58a6ff }
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

function drawPanel({ title, unit, figureOf, limit }: Panel, runs: readonly Run[]): string {
  const values = runs.map(figureOf);
  const [low, high] = decades(limit === undefined ? values : [...values, limit]);
  const [first, last] = decades(runs.map(({ files }) => files));
  const x = (files: number): number =>
    MARGIN.left + ((Math.log10(files) - first) / (last - first)) * (WIDTH - MARGIN.left - MARGIN.right);
  const y = (value: number): number =>
    HEIGHT -
    MARGIN.bottom -
    ((Math.log10(value) - low) / (high - low)) * (HEIGHT - MARGIN.top - MARGIN.bottom);
  const parts = [`<text class="title" x="${MARGIN.left}" y="18">${title}, ${unit}</text>`];
  for (let power = low; power <= high; power++) {
    const place = at(y(10 ** power));
    parts.push(
      `<line class="grid" x1="${MARGIN.left}" x2="${WIDTH - MARGIN.right}" y1="${place}" y2="${place}"/>`,
    );
    parts.push(
      `<text x="${MARGIN.left - 6}" y="${place}" dy="4" text-anchor="end">${short(10 ** power)}</text>`,
    );
  }
  for (let power = first; power <= last; power++)
    parts.push(
      `<text x="${at(x(10 ** power))}" y="${HEIGHT - 10}" text-anchor="middle">10${[..."⁰¹²³⁴⁵⁶⁷⁸⁹"][power]}</text>`,
    );
  if (limit !== undefined)
    parts.push(
      `<line class="limit" x1="${MARGIN.left}" x2="${WIDTH - MARGIN.right}" y1="${at(y(limit))}" y2="${at(y(limit))}"/>`,
    );
  const points = runs.map((run) => [at(x(run.files)), at(y(figureOf(run)))] as const);
  parts.push(`<polyline class="line" points="${points.map((point) => point.join(",")).join(" ")}"/>`);
  for (const [index, [left, top]] of points.entries())
    parts.push(
      `<circle class="dot" cx="${left}" cy="${top}" r="3"><title>${runs[index]!.files.toLocaleString("en")} files: ${short(values[index]!)} ${unit}</title></circle>`,
    );
  return parts.join("\n");
}

/** The picture of some runs, in the order of their files. */
export function drawScale(runs: readonly Run[]): string {
  const rows = Math.ceil(PANELS.length / COLUMNS);
  const size = `width="${COLUMNS * WIDTH}" height="${rows * HEIGHT}"`;
  const panels = PANELS.map((panel, index) => {
    const place = `${(index % COLUMNS) * WIDTH},${Math.floor(index / COLUMNS) * HEIGHT}`;
    return `<g transform="translate(${place})">\n${drawPanel(panel, runs)}\n</g>`;
  });
  const title = "<title>docteur by the number of files, on logarithmic scales</title>";
  return `<svg xmlns="http://www.w3.org/2000/svg" ${size} viewBox="0 0 ${COLUMNS * WIDTH} ${rows * HEIGHT}" role="img">\n${title}\n<style>\n${STYLE}\n</style>\n${panels.join("\n")}\n</svg>\n`;
}

/** Draws the figures of the file beside the picture. */
export function plotScale(figures: URL): void {
  const runs = JSON.parse(readFileSync(figures, "utf8")) as Run[];
  writeFileSync(new URL("scale.svg", figures), drawScale(runs));
}
