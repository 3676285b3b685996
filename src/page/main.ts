/** The page: opens images, shows them, and makes them. The work is done by worker.ts. */

import type { Report, ReportStatus } from "../verify/index.js";
import { ActivityPanel } from "./activity.js";
import { type CallError, startWorker } from "./calls.js";
import { byId, counted, download, h, shown, sizeText } from "./dom.js";
import { droppedFiles, isImage, type Picked, pickedFiles } from "./files.js";
import type { Item, Made, Opened } from "./protocol.js";
import { TreeView } from "./tree.js";
import { Viewer } from "./viewer.js";

const encoder = new TextEncoder();
const panel = new ActivityPanel();

const api = startWorker(new URL("worker.js", import.meta.url), (event) => {
  if (event.event === "activity") panel.show(event.activity);
  else if (event.event === "progress") showProgress(event.text, event.done, event.total);
  else addFound(event.items);
});

/** Says something in words, on the screen and to screen readers. */
function say(text: string, isError = false): void {
  const status = byId("status");
  status.textContent = text;
  status.classList.toggle("error", isError);
}

function fail(error: unknown): void {
  const { message, hint } = error as CallError;
  say(hint === undefined ? message : `${message}. ${hint}`, true);
}

function showProgress(text: string, done: number, total: number | undefined): void {
  const bar = byId<HTMLProgressElement>("progress");
  bar.hidden = false;
  if (total === undefined) bar.removeAttribute("value");
  else {
    bar.max = Math.max(1, total);
    bar.value = done;
  }
  byId("step").textContent =
    total === undefined ? `${text}: ${done.toLocaleString("en")}` : `${text}: ${done} of ${total}`;
}

/** Runs something that takes a while. Its errors are shown. */
async function busy(text: string, work: () => Promise<void>): Promise<void> {
  document.body.setAttribute("aria-busy", "true");
  say(text);
  try {
    await work();
  } catch (error) {
    fail(error);
  } finally {
    document.body.removeAttribute("aria-busy");
    byId("progress").hidden = true;
    byId("step").textContent = "";
  }
}

const tree = new TreeView(byId<HTMLUListElement>("tree"), {
  list: (path, after) => api.list(path, after),
  find: (path) => itemAt(path),
  select: (item) => void show(item),
  fail,
});
const viewer = new Viewer(byId("view"), api, { go: (path) => void go(path), fail });

/** The address of the image that is open, if it has one. */
let address: string | undefined;

function rememberPlace(path: string): void {
  if (address === undefined) return;
  history.replaceState(null, "", `#${new URLSearchParams({ image: address, path })}`);
}

async function show(item: Item): Promise<void> {
  try {
    await viewer.show(item);
    rememberPlace(item.path);
  } catch (error) {
    fail(error);
  }
}

/** The item at a path. */
async function itemAt(path: string): Promise<Item> {
  const bytes = encoder.encode(path);
  const name = path.split("/").at(-1)!;
  try {
    const { item } = await api.read(bytes, 0);
    return { ...item, name, path };
  } catch {
    await api.list(bytes, undefined);
    return { name, path, bytes, kind: "directory", oid: "", size: undefined };
  }
}

async function go(path: string): Promise<void> {
  try {
    const clean = path === "/" ? path : path.replace(/\/+$/, "");
    const item = await itemAt(clean);
    await tree.reveal(item.path);
    await show(item);
  } catch (error) {
    fail(error);
  }
}

function showState(text: string, isError = false): void {
  const state = byId("state");
  state.textContent = text;
  state.classList.toggle("error", isError);
}

function showCommit({ commit, isExpected }: Opened): void {
  const { date, author, message } = commit;
  const title = message.split("\n", 1)[0]!;
  const proof = isExpected
    ? `Proven: all that you see belongs to commit ${commit.oid}.`
    : "Checked: all that you see matches the ids of this commit. If you expect a certain commit, compare it.";
  const rows: [string, string][] = [
    ["Commit", commit.oid],
    ["Author", shown(author.name)],
    ["Date", date === null ? "none" : date.toISOString().replace("T", " ").replace(".000Z", " UTC")],
    ["Message", title === "" ? "none" : shown(title)],
    ["Proof", proof],
  ];
  byId("commit").replaceChildren(...rows.flatMap(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]));
  showState(isExpected ? "Proven" : "Checked");
}

/** What the page says for a status. */
const VERDICTS: Readonly<Record<ReportStatus, string>> = {
  sound: "Sound",
  damaged: "Damaged",
  mismatch: "Another image",
  unknown: "Not decided",
  unreadable: "Not readable",
};

function showReport({ status, objectCount, objectBytes, findings }: Report): void {
  const verdict = VERDICTS[status];
  const worst = findings.find(({ severity }) => severity === "error") ?? findings[0];
  const others = findings.length > 1 ? `, and ${counted(findings.length - 1, "finding")} more` : "";
  const told = worst === undefined ? "" : `: ${shown(worst.message)}${others}`;
  const proof = byId("state").textContent!.split(",")[0]!;
  showState(`${proof}, ${verdict.toLowerCase()}`, status !== "sound");
  const objects = `${counted(objectCount ?? 0, "object")}, ${sizeText(objectBytes ?? 0)}`;
  const checked = `, with its checksums, its index and every object (${objects})`;
  say(`${verdict}${status === "sound" ? checked : ""}${told}`, status !== "sound");
}

async function openImage(source: string | File | Uint8Array, name: string, path = "/"): Promise<void> {
  const expected = byId<HTMLInputElement>("expected").value.trim();
  await busy(`Opening ${name}`, async () => {
    const opened = await api.open(source, name, expected === "" ? undefined : expected);
    address = typeof source === "string" ? source : undefined;
    panel.reset(opened.size);
    byId("name").textContent = shown(name);
    document.title = `${shown(name)} – docteur`;
    showCommit(opened);
    document.body.classList.add("opened");
    byId("browser").hidden = false;
    byId<HTMLInputElement>("query").value = "";
    showSearch(false);
    await tree.reset();
    await go(path);
    say(`Opened ${name}, ${sizeText(opened.size)}`);
  });
}

/** Opens the image at an address, which can be relative to the page's. */
async function openAddress(text: string, path: string): Promise<void> {
  if (text === "") return;
  if (!URL.canParse(text, location.href)) return say(`${text} is not an address`, true);
  const { href, pathname } = new URL(text, location.href);
  await openImage(href, pathname.split("/").at(-1) || href, path);
}

/** Makes an image of files. */
async function makeImage(files: Picked[]): Promise<void> {
  if (files.length === 0) return;
  await busy(`Making an image of ${counted(files.length, "file")}`, async () => {
    const made = await api.make(files);
    showMade(made);
    say(`Made an image of ${counted(made.fileCount, "file")}`);
  });
}

function showMade({ image, commit, fileCount, contentBytes }: Made): void {
  const save = h("button", { type: "button", class: "primary" }, "Download image");
  save.addEventListener("click", () => download("disk.img", image));
  const look = h("button", { type: "button" }, "Open it here");
  look.addEventListener("click", () => void openImage(image, "disk.img"));
  const facts = `${counted(fileCount, "file")}, ${sizeText(contentBytes)}, in an image of ${sizeText(image.length)}.`;
  byId("made").replaceChildren(
    h("p", {}, facts),
    h("p", { class: "oid" }, `Commit ${commit}`),
    h("div", { class: "actions" }, save, look),
  );
  save.focus();
}

/** An image is opened; an image is made of anything else. */
async function takeFiles(files: Picked[]): Promise<void> {
  const [first, ...others] = files;
  if (first === undefined) return;
  if (others.length === 0 && (await isImage(first[1]))) await openImage(first[1], first[1].name);
  else await makeImage(files);
}

function showSearch(isShown: boolean): void {
  byId("found").hidden = !isShown;
  byId("tree").hidden = isShown;
  if (isShown) byId("results").replaceChildren();
  else tree.showSelected();
}

function addFound(items: Item[]): void {
  for (const item of items) {
    const slash = item.path.lastIndexOf("/");
    const button = h(
      "button",
      { type: "button", class: "result" },
      h("span", { class: "name" }, shown(item.name)),
      h("span", { class: "folder" }, shown(item.path.slice(0, slash) || "/")),
    );
    button.addEventListener("click", () => {
      byId("results").querySelector("[aria-current]")?.removeAttribute("aria-current");
      button.setAttribute("aria-current", "true");
      tree.reveal(item.path).catch(fail);
      void show(item);
    });
    byId("results").append(h("li", {}, button));
  }
}

let searchTimer: ReturnType<typeof setTimeout> | undefined;

function search(): void {
  clearTimeout(searchTimer);
  const text = byId<HTMLInputElement>("query").value.trim();
  searchTimer = setTimeout(async () => {
    showSearch(text !== "");
    if (text === "") return;
    byId("count").textContent = "Searching";
    try {
      const { hasMore } = await api.search(text);
      const count = byId("results").children.length;
      byId("count").textContent = hasMore ? `The first ${count} names` : `${counted(count, "name")} found`;
    } catch (error) {
      fail(error);
    }
  }, 200);
}

function listenToDrops(): void {
  const over = (isOver: boolean) => (event: DragEvent) => {
    event.preventDefault();
    document.body.classList.toggle("over", isOver);
  };
  addEventListener("dragover", over(true));
  addEventListener("dragleave", over(false));
  addEventListener("drop", (event) => {
    over(false)(event);
    if (event.dataTransfer !== null) droppedFiles(event.dataTransfer).then(takeFiles).catch(fail);
  });
}

function listen(): void {
  byId("open").addEventListener("submit", (event) => {
    event.preventDefault();
    void openAddress(byId<HTMLInputElement>("url").value.trim(), "/");
  });
  for (const id of ["image", "files", "folder"])
    byId<HTMLInputElement>(id).addEventListener("change", (event) => {
      const input = event.target as HTMLInputElement;
      const files = pickedFiles(input);
      input.value = "";
      void (id === "image" && files[0] ? openImage(files[0][1], files[0][0]) : makeImage(files));
    });
  byId("query").addEventListener("input", search);
  byId("query").addEventListener("keydown", (event) => {
    if ((event as KeyboardEvent).key !== "Escape") return;
    byId<HTMLInputElement>("query").value = "";
    search();
  });
  byId("verify").addEventListener("click", () => {
    void busy("Verifying the image", async () => showReport(await api.verify()));
  });
  listenToDrops();
}

listen();
const place = new URLSearchParams(location.hash.slice(1));
const image = place.get("image");
if (image !== null) {
  byId<HTMLInputElement>("url").value = image;
  void openAddress(image, place.get("path") ?? "/");
}
