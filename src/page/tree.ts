/**
 * The tree of the image, as the pattern "Tree View" of the ARIA Authoring Practices has it: one item is in the order of
 * Tab; arrows, Home, End and letters move among them.
 */
import { h, shown } from "./dom.js";
import type { Item, Listed } from "./protocol.js";

/** What the tree asks of the page. */
export interface TreeHost {
  list(path: Uint8Array, after: Uint8Array | undefined): Promise<Listed>;
  /** The item at a path in text. */
  find(path: string): Promise<Item>;
  select(item: Item): void;
  fail(error: unknown): void;
}

const ICONS: Record<Item["kind"], string> = {
  directory: "▸",
  file: "",
  executable: "",
  symlink: "↪",
  submodule: "◇",
};

/** A row of the tree. */
interface Row {
  item: Item;
  element: HTMLLIElement;
  group: HTMLUListElement | undefined;
  isLoaded: boolean;
}

const lastName = (items: Item[]): Uint8Array => {
  const { bytes } = items.at(-1)!;
  return bytes.slice(bytes.lastIndexOf(0x2f) + 1);
};

export class TreeView {
  readonly #root: HTMLUListElement;
  readonly #host: TreeHost;
  readonly #rows = new WeakMap<Element, Row>();
  #letters = "";
  #lettersAt = 0;

  constructor(root: HTMLUListElement, host: TreeHost) {
    this.#root = root;
    this.#host = host;
    root.addEventListener("keydown", (event) => this.#onKey(event));
    root.addEventListener("click", (event) => this.#onClick(event));
  }

  /** Shows the image's root. */
  async reset(): Promise<void> {
    this.#root.replaceChildren();
    await this.#load(this.#root, new TextEncoder().encode("/"), undefined);
    this.#root.querySelector<HTMLElement>("[role=treeitem]")?.setAttribute("tabindex", "0");
  }

  /** Opens the directories on the way to a path, and marks its item. @param path in text */
  async reveal(path: string): Promise<void> {
    let list = this.#root;
    let at = "";
    const names = path.split("/").filter((name) => name !== "");
    for (const [index, name] of names.entries()) {
      at += `/${name}`;
      const row = this.#rowIn(list, at) ?? this.#insert(list, await this.#host.find(at));
      if (index === names.length - 1) return this.#mark(row.element);
      await this.#expand(row);
      if (row.group === undefined) return;
      list = row.group;
    }
  }

  /** Moves what is selected into view. */
  showSelected(): void {
    const selected = this.#root.querySelector("[aria-selected=true]");
    selected?.firstElementChild?.scrollIntoView({ block: "nearest" });
  }

  #rowIn(list: Element, path: string): Row | undefined {
    for (const child of list.children) {
      const row = this.#rows.get(child);
      if (row?.item.path === path) return row;
    }
    return undefined;
  }

  /** Adds an item of a part of a directory that was not loaded: it stands before "Show more" until it is. */
  #insert(list: Element, item: Item): Row {
    const known = this.#rowIn(list, item.path);
    if (known !== undefined) return known;
    const element = this.#row(item);
    list.insertBefore(element, list.querySelector(":scope > .more"));
    return this.#rows.get(element)!;
  }

  /** @returns the first item that was added */
  async #load(
    list: HTMLUListElement,
    path: Uint8Array,
    after: Uint8Array | undefined,
  ): Promise<HTMLElement | undefined> {
    const { items, hasMore } = await this.#host.list(path, after);
    const sorted = after === undefined && !hasMore ? foldersFirst(items) : items;
    const inserted = after === undefined ? [] : [...list.children];
    const known = new Map(inserted.map((element) => [this.#rows.get(element)?.item.path, element]));
    const added = sorted.map((item) => (known.get(item.path) as HTMLElement) ?? this.#row(item));
    list.append(...added);
    if (items.length === 0 && after === undefined)
      list.append(h("li", { class: "none", role: "none" }, "Nothing in here"));
    if (hasMore) list.append(this.#more(list, path, lastName(items)));
    return added[0];
  }

  #more(list: HTMLUListElement, path: Uint8Array, after: Uint8Array): HTMLElement {
    const more = h(
      "li",
      { role: "treeitem", tabindex: "-1", class: "more" },
      h("span", { class: "row" }, "Show more"),
    );
    more.addEventListener("click", (event) => {
      event.stopPropagation();
      more.remove();
      this.#load(list, path, after).then(
        (first) => this.#focus(first),
        (error) => this.#host.fail(error),
      );
    });
    return more;
  }

  #row(item: Item): HTMLLIElement {
    const isFolder = item.kind === "directory";
    const icon = h("span", { class: "icon", "aria-hidden": "true" }, ICONS[item.kind]);
    const element = h(
      "li",
      { role: "treeitem", tabindex: "-1", "aria-expanded": isFolder ? "false" : undefined, class: item.kind },
      h(
        "span",
        { class: "row", title: shown(item.path) },
        icon,
        h("span", { class: "name" }, shown(item.name)),
      ),
    );
    this.#rows.set(element, { item, element, group: undefined, isLoaded: false });
    return element;
  }

  async #expand(row: Row): Promise<void> {
    const { element, item } = row;
    if (item.kind !== "directory" || element.getAttribute("aria-expanded") === "true") return;
    element.setAttribute("aria-expanded", "true");
    if (row.isLoaded) return;
    row.isLoaded = true;
    row.group = h("ul", { role: "group" });
    element.append(row.group);
    try {
      await this.#load(row.group, item.bytes, undefined);
    } catch (error) {
      row.isLoaded = false;
      row.group.remove();
      element.setAttribute("aria-expanded", "false");
      this.#host.fail(error);
    }
  }

  #collapse({ element }: Row): void {
    element.setAttribute("aria-expanded", "false");
  }

  #visible(): HTMLElement[] {
    return [...this.#root.querySelectorAll<HTMLElement>("[role=treeitem]")].filter(
      (element) => element.parentElement?.closest('[aria-expanded="false"]') === null,
    );
  }

  #focus(element: HTMLElement | null | undefined): void {
    if (!element) return;
    this.#root.querySelector('[tabindex="0"]')?.setAttribute("tabindex", "-1");
    element.setAttribute("tabindex", "0");
    element.focus();
  }

  #mark(element: HTMLElement): void {
    for (const old of this.#root.querySelectorAll("[aria-selected]")) old.removeAttribute("aria-selected");
    element.setAttribute("aria-selected", "true");
    this.#root.querySelector('[tabindex="0"]')?.setAttribute("tabindex", "-1");
    element.setAttribute("tabindex", "0");
    element.firstElementChild?.scrollIntoView({ block: "nearest" });
  }

  #activate(element: HTMLElement): void {
    const row = this.#rows.get(element);
    if (row === undefined) {
      element.click();
      return;
    }
    this.#mark(element);
    this.#host.select(row.item);
  }

  #onClick(event: Event): void {
    const element = (event.target as Element).closest<HTMLElement>("[role=treeitem]");
    const row = element && this.#rows.get(element);
    if (!row) return;
    if (row.element.getAttribute("aria-expanded") === "true") this.#collapse(row);
    else void this.#expand(row);
    this.#focus(element);
    this.#activate(element);
  }

  #onKey(event: KeyboardEvent): void {
    const element = (event.target as Element).closest<HTMLElement>("[role=treeitem]");
    if (element === null || event.ctrlKey || event.metaKey || event.altKey) return;
    const row = this.#rows.get(element);
    const visible = this.#visible();
    const at = visible.indexOf(element);
    const isOpen = element.getAttribute("aria-expanded") === "true";
    const moves: Record<string, () => void> = {
      ArrowDown: () => this.#focus(visible[at + 1]),
      ArrowUp: () => this.#focus(visible[at - 1]),
      Home: () => this.#focus(visible[0]),
      End: () => this.#focus(visible.at(-1)),
      ArrowRight: () => (isOpen ? this.#focus(visible[at + 1]) : row && void this.#expand(row)),
      ArrowLeft: () =>
        isOpen && row
          ? this.#collapse(row)
          : this.#focus(element.parentElement?.closest<HTMLElement>("[role=treeitem]")),
      Enter: () => this.#activate(element),
      " ": () => this.#activate(element),
    };
    const move = moves[event.key];
    if (move !== undefined) move();
    else if (event.key.length === 1) this.#type(event.key, visible, at);
    else return;
    event.preventDefault();
  }

  /** Moves to the next item that begins with the letters that were typed. */
  #type(letter: string, visible: HTMLElement[], at: number): void {
    const now = Date.now();
    this.#letters = now - this.#lettersAt < 700 ? this.#letters + letter.toLowerCase() : letter.toLowerCase();
    this.#lettersAt = now;
    const start = this.#letters.length === 1 ? at + 1 : at;
    const turned = [...visible.slice(start), ...visible.slice(0, start)];
    this.#focus(
      turned.find((element) => this.#rows.get(element)?.item.name.toLowerCase().startsWith(this.#letters)),
    );
  }
}

/** Directories before files, each in their order. */
export function foldersFirst(items: readonly Item[]): Item[] {
  return [
    ...items.filter(({ kind }) => kind === "directory"),
    ...items.filter(({ kind }) => kind !== "directory"),
  ];
}
