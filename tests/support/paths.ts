/** Makes lists of paths as repositories have them: nested directories, conventional names, versions, tests beside sources. */
import type { Random } from "./random.js";

const WORDS =
  "account action adapter admin agent alert api app archive asset async audit auth backend banner base batch binary block board buffer build button cache calendar card cart chain channel chart check client cloud cluster codec color column command common compare compiler component config connection console container content context control convert core counter crypto cursor dashboard data date debug decode default delta deploy device dialog diff digest dispatch display document domain draft driver editor element email encode engine entity entry error event example export extension feature fetch field file filter flag folder font form format frame gateway graph grid group guard handler hash header heap helper history hook host icon image import index input inspect item iterator job json kernel key label layer layout legacy lexer library limit link list loader local lock log login manager map match media memory menu merge message metric migration mock modal model module monitor mount native network node notice object option order output package page panel parser patch path payment pipeline platform plugin point policy pool popup port process profile project prompt protocol provider proxy query queue range reader record redirect region registry release remote render report request resolver resource response result role route router rule runtime sample schema scope script search section select sensor server service session setting shader shape shared signal snapshot socket source sprite stage state static storage store stream string style subject switch symbol sync system table target task template terminal test theme thread timer token tool toolbar trace tracker transform tree trigger type update upload user util validate value vector version video view virtual volume watch widget window worker wrapper zone".split(
    " ",
  );
const TOP = [
  "src",
  "docs",
  "test",
  "packages",
  "lib",
  "tools",
  "examples",
  "vendor",
  "include",
  "internal",
  "apps",
];
const EXTENSIONS = [
  ".ts",
  ".ts",
  ".ts",
  ".js",
  ".c",
  ".h",
  ".go",
  ".md",
  ".json",
  ".tsx",
  ".py",
  ".test.ts",
  ".png",
];
const FIXED = [
  "README.md",
  "package.json",
  "index.ts",
  "Makefile",
  "LICENSE",
  "mod.rs",
  "__init__.py",
  "index.test.ts",
];

function word(random: Random): string {
  return WORDS[random(WORDS.length)]!;
}

function capital(text: string): string {
  return text[0]!.toUpperCase() + text.slice(1);
}

/** A name of one to three words, in the style of its directory. */
function stem(random: Random, style: number): string {
  const words = Array.from({ length: 1 + random(3) }, () => word(random));
  if (style === 0) return words.join("-");
  if (style === 1) return words.join("_");
  return style === 2 ? words.map(capital).join("") : words[0]! + words.slice(1).map(capital).join("");
}

/**
 * @param count how many paths, directories and the root's "" among them
 * @returns distinct paths, each directory before what it holds, in a random order otherwise
 */
export function repositoryPaths(count: number, random: Random): string[] {
  const seen = new Set<string>([""]);
  const directories = [""];
  const add = (path: string): boolean => {
    if (seen.has(path)) return false;
    seen.add(path);
    return true;
  };
  for (const top of TOP) {
    add(top);
    directories.push(`${top}/`);
  }
  while (seen.size < count) {
    const parent = directories[random(directories.length)]!;
    if (parent.split("/").length < 10 && random(2) === 0) {
      const path = parent + (random(3) > 0 ? word(random) : stem(random, random(2)));
      if (add(path)) directories.push(`${path}/`);
    }
    const home = directories[directories.length - 1 - random(Math.min(directories.length, 50))]!;
    const style = home.length % 4;
    const extension = EXTENSIONS[(home.length + random(3)) % EXTENSIONS.length]!;
    const files = 1 + random(random(12) === 0 ? 120 : 16);
    for (let i = 0; i < files && seen.size < count; i++) {
      if (random(8) === 0) add(home + FIXED[random(FIXED.length)]!);
      else if (random(30) === 0)
        add(`${home}${word(random)}-${String(random(500)).padStart(4, "0")}${extension}`);
      else add(home + stem(random, style) + extension);
    }
  }
  return [...seen];
}
