/** The panel that shows what is fetched of the image, as it happens. */
import { byId, counted, h, sizeText } from "./dom.js";
import type { Activity } from "./protocol.js";

/** Parts of the image that the map shows, and requests that the list shows. */
const CELLS = 128;
const LOG_MAX = 50;

export class ActivityPanel {
  #size = 1;
  #cells: HTMLElement[] = [];
  readonly #log = byId<HTMLOListElement>("log");

  /** @param size bytes of the image */
  reset(size: number): void {
    this.#size = size;
    this.#cells = Array.from({ length: CELLS }, () => h("i"));
    byId("map").replaceChildren(...this.#cells);
    this.#log.replaceChildren();
    this.show({ requests: 0, bytes: 0, hits: 0, misses: 0, ranges: [] });
  }

  show({ requests, bytes, hits, misses, ranges }: Activity): void {
    const part = Math.min(100, (bytes / this.#size) * 100);
    const percent = part >= 10 || part === 0 ? part.toFixed(0) : part.toFixed(1);
    byId("requests").textContent = requests.toLocaleString("en");
    byId("bytes").textContent = sizeText(bytes);
    byId("of").textContent = `${percent} % of ${sizeText(this.#size)}`;
    byId("hits").textContent = `${hits.toLocaleString("en")} of ${(hits + misses).toLocaleString("en")}`;
    byId("map").setAttribute("aria-label", `${percent} percent of the image was fetched`);
    for (const [offset, length] of ranges) this.#mark(offset, length);
    byId("summary").textContent =
      `${counted(requests, "request")}, ${sizeText(bytes)} of ${sizeText(this.#size)}`;
  }

  #mark(offset: number, length: number): void {
    const first = Math.floor((offset / this.#size) * CELLS);
    const last = Math.min(CELLS - 1, Math.floor(((offset + length - 1) / this.#size) * CELLS));
    for (let at = first; at <= last; at++) this.#cells[at]?.classList.add("on");
    const end = (offset + length - 1).toLocaleString("en");
    this.#log.prepend(
      h("li", {}, h("span", {}, `${offset.toLocaleString("en")} to ${end}`), h("span", {}, sizeText(length))),
    );
    while (this.#log.children.length > LOG_MAX) this.#log.lastElementChild!.remove();
  }
}
