/** Shows a file or a directory of the image. Content is never run: a page of HTML is shown as text. */
import { counted, download, h, shown, sizeText } from "./dom.js";
import { renderMarkdown } from "./markdown.js";
import type { Api, Content, Item } from "./protocol.js";
import { foldersFirst } from "./tree.js";

/** Bytes of a text, and of a picture or a recording, that are shown. */
const TEXT_MAX = 1 << 20;
const MEDIA_MAX = 64 << 20;
/** Bytes that are shown of a file that is not text. */
const HEX_MAX = 512;

const PICTURES: Readonly<Record<string, string>> = {
  ...{ png: "image/png", jpg: "image/jpeg", jpeg: "image/jpeg", gif: "image/gif", webp: "image/webp" },
  ...{ avif: "image/avif", svg: "image/svg+xml", ico: "image/x-icon", bmp: "image/bmp" },
};
const RECORDINGS: Readonly<Record<string, string>> = {
  ...{ mp3: "audio/mpeg", wav: "audio/wav", ogg: "audio/ogg", flac: "audio/flac", m4a: "audio/mp4" },
  ...{ mp4: "video/mp4", webm: "video/webm" },
};

function typeIn(table: Readonly<Record<string, string>>, name: string): string | undefined {
  const ending = name.slice(name.lastIndexOf(".") + 1).toLowerCase();
  return Object.hasOwn(table, ending) ? table[ending] : undefined;
}

/** The text of bytes; undefined if they are not text. */
function textOf(bytes: Uint8Array, isWhole: boolean): string | undefined {
  if (bytes.subarray(0, 8192).includes(0)) return undefined;
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes, { stream: !isWhole });
  } catch {
    return undefined;
  }
}

function hexDump(bytes: Uint8Array): string {
  const lines: string[] = [];
  for (let at = 0; at < Math.min(bytes.length, HEX_MAX); at += 16) {
    const part = [...bytes.subarray(at, at + 16)];
    const hex = part.map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
    const text = part.map((byte) => (byte > 31 && byte < 127 ? String.fromCharCode(byte) : ".")).join("");
    lines.push(`${at.toString(16).padStart(6, "0")}  ${hex.padEnd(47)}  ${text}`);
  }
  return lines.join("\n");
}

/** What the viewer asks of the page. */
export interface ViewerHost {
  /** Shows another item, and marks it in the tree. @param path in text */
  go(path: string): void;
  fail(error: unknown): void;
}

export class Viewer {
  readonly #element: HTMLElement;
  readonly #api: Api;
  readonly #host: ViewerHost;
  /** Addresses of content, which are given back when another item is shown. */
  #addresses: string[] = [];
  #turn = 0;

  constructor(element: HTMLElement, api: Api, host: ViewerHost) {
    this.#element = element;
    this.#api = api;
    this.#host = host;
  }

  /** Shows an item. Of two calls, the later one counts. */
  async show(item: Item): Promise<void> {
    const turn = ++this.#turn;
    this.#element.setAttribute("aria-busy", "true");
    try {
      const parts = item.kind === "directory" ? await this.#folder(item) : await this.#file(item);
      if (turn !== this.#turn) return;
      for (const address of this.#addresses.splice(0, this.#addresses.length - parts.addresses.length))
        URL.revokeObjectURL(address);
      this.#element.replaceChildren(this.#heading(item, parts.bar), ...parts.body);
      this.#element.scrollTop = 0;
    } finally {
      if (turn === this.#turn) this.#element.removeAttribute("aria-busy");
    }
  }

  #heading(item: Item, bar: Node[]): HTMLElement {
    const names = item.path.split("/").filter((name) => name !== "");
    const crumbs = [
      this.#crumb("Top", "/"),
      ...names.map((name, at) => this.#crumb(name, `/${names.slice(0, at + 1).join("/")}`)),
    ];
    crumbs.at(-1)!.firstElementChild!.setAttribute("aria-current", "page");
    return h(
      "header",
      { class: "bar" },
      h("nav", { "aria-label": "Path" }, h("ol", { class: "crumbs" }, ...crumbs)),
      h("div", { class: "actions" }, ...bar),
    );
  }

  #crumb(name: string, path: string): HTMLLIElement {
    const button = h("button", { type: "button", class: "link" }, shown(name));
    button.addEventListener("click", () => this.#host.go(path));
    return h("li", {}, button);
  }

  async #folder(item: Item): Promise<{ bar: Node[]; body: Node[]; addresses: string[] }> {
    const { items, hasMore } = await this.#api.list(item.bytes, undefined);
    const rows = foldersFirst(items).map((one) => {
      const button = h(
        "button",
        { type: "button", class: "link" },
        `${shown(one.name)}${one.kind === "directory" ? "/" : ""}`,
      );
      button.addEventListener("click", () => this.#host.go(one.path));
      return h(
        "tr",
        {},
        h("td", {}, button),
        h("td", {}, one.kind === "file" ? "" : one.kind),
        h("td", { class: "oid" }, one.oid.slice(0, 10)),
      );
    });
    const head = h("tr", {}, ...["Name", "Kind", "Object"].map((text) => h("th", { scope: "col" }, text)));
    const table = h("table", {}, h("thead", {}, head), h("tbody", {}, ...rows));
    const readme = items.find(({ name, kind }) => /^readme(?:\.md)?$/i.test(name) && kind === "file");
    const body: Node[] = [h("div", { class: "table" }, table)];
    if (hasMore)
      body.push(h("p", { class: "note" }, `The first ${items.length} entries. The tree has all of them.`));
    if (readme !== undefined) body.push(...(await this.#file(readme)).body);
    return {
      bar: [
        h(
          "span",
          {},
          counted(items.length, hasMore ? "or more entry" : items.length === 1 ? "entry" : "entrie"),
        ),
      ],
      body,
      addresses: [],
    };
  }

  async #file(item: Item): Promise<{ bar: Node[]; body: Node[]; addresses: string[] }> {
    const picture = typeIn(PICTURES, item.name);
    const recording = typeIn(RECORDINGS, item.name);
    const content = await this.#api.read(item.bytes, picture || recording ? MEDIA_MAX : TEXT_MAX);
    const size = content.item.size ?? content.bytes.length;
    const save = h("button", { type: "button" }, "Download");
    save.addEventListener("click", () => {
      this.#api.read(item.bytes, Number.MAX_SAFE_INTEGER).then(
        ({ bytes }) => download(item.name, bytes),
        (error) => this.#host.fail(error),
      );
    });
    const id = h(
      "span",
      { class: "oid", title: `The id of the git object: ${content.item.oid}` },
      content.item.oid.slice(0, 10),
    );
    const bar: Node[] = [h("span", {}, sizeText(size)), id, save];
    const isWhole = content.bytes.length === size;
    const addresses: string[] = [];
    const body = this.#body(item, content, isWhole, picture ?? recording, addresses, bar);
    return { bar, body, addresses };
  }

  #body(
    item: Item,
    { bytes }: Content,
    isWhole: boolean,
    type: string | undefined,
    addresses: string[],
    bar: Node[],
  ): Node[] {
    if (type !== undefined && isWhole) {
      const address = this.#addressOf(bytes, type, addresses);
      if (type.startsWith("image/"))
        return [
          h(
            "figure",
            { class: "picture" },
            h("img", { src: address, alt: `The picture ${shown(item.name)}` }),
          ),
        ];
      const tag = type.startsWith("audio/") ? "audio" : "video";
      return [h("figure", { class: "picture" }, h(tag, { src: address, controls: true }))];
    }
    const text = textOf(bytes, isWhole);
    if (text === undefined)
      return [
        h(
          "p",
          { class: "note" },
          `This file is not text. Its first ${Math.min(bytes.length, HEX_MAX)} bytes:`,
        ),
        h("pre", { class: "source", tabindex: "0", "aria-label": "Bytes of the file" }, hexDump(bytes)),
      ];
    const source = h("pre", { class: "source", tabindex: "0", "aria-label": "Text of the file" }, text);
    const notes = isWhole
      ? []
      : [h("p", { class: "note" }, `The first ${sizeText(bytes.length)} of the file:`)];
    if (!/\.(?:md|markdown)$/i.test(item.name)) return [...notes, source];
    const article = h("article", { class: "markdown" });
    article.append(
      renderMarkdown(text, item.path, {
        open: (path) => this.#host.go(path),
        picture: (path) => this.#picture(path),
      }),
    );
    source.hidden = true;
    const toggle = h("button", { type: "button", "aria-pressed": "false" }, "Source");
    toggle.addEventListener("click", () => {
      source.hidden = !source.hidden;
      article.hidden = !article.hidden;
      toggle.setAttribute("aria-pressed", String(!source.hidden));
    });
    bar.splice(-1, 0, toggle);
    return [...notes, article, source];
  }

  /** A picture that a document shows. */
  async #picture(path: string): Promise<string | undefined> {
    const type = typeIn(PICTURES, path);
    if (type === undefined) return undefined;
    const content = await this.#api.read(new TextEncoder().encode(path), MEDIA_MAX).catch(() => undefined);
    return content && this.#addressOf(content.bytes, type, []);
  }

  #addressOf(bytes: Uint8Array<ArrayBuffer>, type: string, addresses: string[]): string {
    const address = URL.createObjectURL(new Blob([bytes], { type }));
    this.#addresses.push(address);
    addresses.push(address);
    return address;
  }
}
