/**
 * Synthetic documentation of any size, as a tar archive that is made as it is read: versions of a site, each with all of its
 * pages. From version to version few pages change, and those in few places, as in real sites. The same numbers give the same
 * bytes, and nothing of the site is kept.
 */
import { seeded } from "../../support/random.js";
import { tarMember } from "../../support/tar-writer.js";

/** The site's measures. */
export interface SiteShape {
  versions: number;
  pages: number;
  /** Sections of a page, of about a kilobyte each. */
  sections: number;
}

/** Pages of a directory, and directories of a part of the site. */
const PAGES_IN_FOLDER = 40;
const FOLDERS_IN_PART = 25;
/** Of a thousand pages, those that change from one version to the next. */
const CHANGED = 60;
/** Words of the site's language, and of a section. */
const WORDS = 3000;
const SECTION_WORDS = 130;

const SYLLABLES =
  "ar be con de en fi ga hy in jo ke la me no or pa que re si ta un ver wi xo ya zu tion ment ing".split(" ");

/** The words: common ones are short and stand first. */
function language(): string[] {
  const random = seeded(1);
  return Array.from({ length: WORDS }, (_, rank) => {
    const count = 1 + random(2 + Math.min(3, rank >> 6));
    return Array.from({ length: count }, () => SYLLABLES[random(SYLLABLES.length)]!).join("");
  });
}

/** Writes the pages of a site. */
class Site {
  readonly #shape: SiteShape;
  readonly #words = language();

  constructor(shape: SiteShape) {
    this.#shape = shape;
  }

  /** The path of a page in its version. */
  path(page: number): string {
    const folder = Math.floor(page / PAGES_IN_FOLDER);
    const part = Math.floor(folder / FOLDERS_IN_PART);
    const word = this.#words[(page * 7 + 11) % WORDS]!;
    return `part-${part}/topic-${folder % FOLDERS_IN_PART}/${word}-${page}.html`;
  }

  /** A section's text. Words follow Zipf's law, more or less. */
  #section(seed: number): string {
    const random = seeded(seed);
    const words = Array.from({ length: SECTION_WORDS }, () => {
      const most = 1 + random(WORDS);
      return this.#words[random(1 + random(most))]!;
    });
    return `<h2>${words[0]} ${words[1]}</h2>\n<p>${words.join(" ")}.</p>\n`;
  }

  /** A page as it is in a version: each change up to it has replaced one section. */
  page(page: number, version: number): string {
    const { sections } = this.#shape;
    const seeds = Array.from({ length: sections }, (_, section) => page * 1024 + section);
    for (let change = 1; change <= version; change++) {
      const random = seeded(page * 4099 + change);
      if (random(1000) < CHANGED) seeds[random(sections)] = (page * 1024 + change) ^ 0x40000000;
    }
    const title = this.path(page);
    const folder = page - (page % PAGES_IN_FOLDER);
    const links = [page - 1, page + 1].filter((other) => other >= folder && other < this.#shape.pages);
    const nav = links
      .map((other) => `<a href="${this.path(other).replace(/.*\//, "")}">${other}</a>`)
      .join(" ");
    const body = seeds.map((seed) => this.#section(seed)).join("");
    return `<!doctype html>\n<html lang="en">\n<head><meta charset="utf-8"><title>${title}</title>\n<link rel="stylesheet" href="/style.css"></head>\n<body>\n<nav>${nav}</nav>\n${body}</body>\n</html>\n`;
  }
}

/** Bytes that are given at once. */
const PIECE = 1 << 20;

/** Joins small pieces into larger ones. */
function* joined(pieces: Iterable<Buffer>): Generator<Buffer, void, undefined> {
  let waiting: Buffer[] = [];
  let length = 0;
  for (const piece of pieces) {
    waiting.push(piece);
    length += piece.length;
    if (length < PIECE) continue;
    yield Buffer.concat(waiting);
    waiting = [];
    length = 0;
  }
  yield Buffer.concat(waiting);
}

/** A file of the site. */
interface File {
  name: string;
  content: string;
}

/** All files, version by version. */
function* siteFiles(shape: SiteShape): Generator<File, void, undefined> {
  const site = new Site(shape);
  for (let version = 0; version < shape.versions; version++)
    for (let page = 0; page < shape.pages; page++)
      yield { name: `v${version}/${site.path(page)}`, content: site.page(page, version) };
}

/** The time of the site's files, and of its commit: seconds since 1970. */
const TIME = 1_600_000_000;

function* members(
  shape: SiteShape,
  onFile: (path: string, size: number) => void,
): Generator<Buffer, void, undefined> {
  for (const { name, content } of siteFiles(shape)) {
    onFile(name, content.length);
    yield tarMember({ name, content, mtime: TIME });
  }
  yield Buffer.alloc(1024);
}

/** The site as a tar archive. @param onFile told the path and size of each file */
export function siteTar(
  shape: SiteShape,
  onFile: (path: string, size: number) => void = () => undefined,
): Generator<Buffer, void, undefined> {
  return joined(members(shape, onFile));
}

function* commands(shape: SiteShape): Generator<Buffer, void, undefined> {
  yield Buffer.from(
    `commit refs/heads/main\ncommitter A U Thor <author@example.org> ${TIME} +0000\ndata 0\n\n`,
  );
  for (const { name, content } of siteFiles(shape))
    yield Buffer.from(`M 100644 inline ${name}\ndata ${content.length}\n${content}\n`, "latin1");
}

/** The site as one commit of the branch `main`, for `git fast-import`. */
export function siteImport(shape: SiteShape): Generator<Buffer, void, undefined> {
  return joined(commands(shape));
}
