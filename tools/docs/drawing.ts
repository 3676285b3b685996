/**
 * Drawings of the documents, which are flowcharts of Mermaid, as SVG. Mermaid itself needs a browser to draw. Graphviz
 * needs none, no box hides another, and the page's style gives its drawings their colours.
 */
import { Graphviz } from "@hpcc-js/wasm-graphviz";

/** A box: its id, and what it says. */
const BOX = /^(\w+)\["([^"\\]+)"\]$/;
/** Arrows from a box to others. */
const ARROWS = /^(\w+) --> (\w+(?: & \w+)*)$/;

/** Of all boxes and arrows. The style of the page sets the colours, and a font of equal width. */
const LOOK = `bgcolor="transparent" ranksep=0.32 nodesep=0.1
node [shape=box fontname="Courier" fontsize=9 height=0.3 margin="0.08,0.05"]
edge [arrowsize=0.5]`;

/** The least width of a drawing, as a share of its own: beyond, text would be too small, and the drawing scrolls. */
const LEAST = 0.7;

/**
 * A flowchart in Graphviz's language. It has boxes, and arrows from a box to others.
 * @throws Error of a line that is neither, and of a box that has not been named
 */
export function graphOf(flowchart: string): string {
  const [head, ...lines] = flowchart.trim().split("\n");
  if (head !== "flowchart TD") throw new Error(`a drawing does not begin with flowchart TD: ${head}`);
  const boxes = new Map<string, string>();
  const nameOf = (id: string): string => {
    const name = boxes.get(id);
    if (name === undefined) throw new Error(`a drawing has no box ${id}`);
    return name;
  };
  const parts: string[] = [];
  for (const line of lines.map((one) => one.trim())) {
    const [, id, label] = BOX.exec(line) ?? [];
    const [, from, to] = ARROWS.exec(line) ?? [];
    if (id !== undefined) {
      const rows = label!.split("<br>");
      boxes.set(id, `"${rows.join(", ")}"`);
      parts.push(`${nameOf(id)} [label="${rows.join("\\n")}"]`);
    } else if (from !== undefined) {
      parts.push(`${nameOf(from)} -> {${to!.split(" & ").map(nameOf).join(" ")}}`);
    } else throw new Error(`a drawing has a line that is neither a box nor arrows: ${line}`);
  }
  return `digraph {\n${LOOK}\n${parts.join("\n")}\n}`;
}

/** Draws flowcharts. */
export type Draw = (flowchart: string) => string;

/** Loads Graphviz. @returns the function that draws a flowchart, as a `figure` of HTML */
export async function loadDrawing(): Promise<Draw> {
  const graphviz = await Graphviz.load();
  return (flowchart) => {
    const document = graphviz.dot(graphOf(flowchart), "svg");
    const svg = document
      .slice(document.indexOf("<svg"))
      .replace(
        / width="(\d+)pt" height="\d+pt"/,
        (_, width: string) => ` style="width: ${width}pt; min-width: ${LEAST * Number(width)}pt"`,
      )
      // They would be those of other drawings of the page, too.
      .replaceAll(/ id="\w+"/g, "");
    return `<figure class="drawing">${svg}</figure>\n`;
  };
}
