/** The documentation as a static site: documents of the repository, and the reference from the docstrings. */
import { readFileSync } from "node:fs";
import { extname, join } from "node:path";
import {
  Application,
  Comment,
  type Context,
  Converter,
  type DeclarationReflection,
  DocumentReflection,
  type NormalizedPath,
  ReflectionKind,
} from "typedoc";
import { type Draw, loadDrawing } from "./drawing.js";
import { API_SECTION, PAGES, SECTION_NAMES } from "./pages.js";

/** Types that declarations name and nobody writes: parts of the shapes of Node's `fs`, and inner ones of others. */
const UNNAMED: Readonly<Record<string, readonly string[]>> = {
  "src/extract/archive.ts": ["FORMATS"],
  "src/fs/api.ts": [
    ...["Anything", "Calling", "Done", "FdWrite", "ListOptions", "PathWrite", "Raw", "ReadFileOptions"],
    ...["RealpathSync", "StatSync", "Text"],
  ],
  "src/fs/constants.ts": ["constants"],
  "src/devices/remote.ts": ["RemoteParts"],
  "src/devices/shared.ts": ["Port"],
  "src/posix/lookup.ts": ["AnyVolume"],
  "src/sync/browser.ts": ["SyncSource"],
  "src/verify/tally.ts": ["BEYOND"],
  "src/git/oid.ts": ["Sha1"],
  "src/sync/volume.ts": ["Sync"],
};

/** Languages of code in documents and examples. */
const LANGUAGES = [
  ...[
    "c",
    "console",
    "go",
    "html",
    "java",
    "javascript",
    "json",
    "json5",
    "python",
    "rust",
    "shellscript",
    "toml",
  ],
  ...["typescript", "xml", "yaml"],
] as const;

/** The sources of the modules that programs import, as the package exports them. */
function entryPoints(root: string): string[] {
  const { exports } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
    exports: Record<string, string | { types: string }>;
  };
  return Object.values(exports)
    .map((target) => (typeof target === "string" ? "" : target.types))
    .filter((types) => types.startsWith("./dist/"))
    .map((types) => join(root, types.replace("./dist/", "").replace(/\.d\.ts$/, ".ts")));
}

/** What is used of markdown-it, the parser of Markdown. */
interface Markdown {
  renderer: { rules: Record<string, Rule> };
}
type Rule = (tokens: readonly { info: string; content: string }[], index: number, ...rest: never[]) => string;

/** Has blocks of Mermaid drawn. */
function drawBlocks({ renderer: { rules } }: Markdown, draw: Draw): void {
  const fence = rules.fence!;
  rules.fence = (tokens, index, ...rest) => {
    const { info, content } = tokens[index]!;
    return info.trim() === "mermaid" ? draw(content) : fence(tokens, index, ...rest);
  };
}

/** A file that is not Markdown, as code. */
function codePage(root: string, file: string): Comment["summary"] {
  const text = readFileSync(join(root, file), "utf8").trimEnd();
  return [{ kind: "code", text: `\`\`\`\`${extname(file).slice(1) || "text"}\n${text}\n\`\`\`\`` }];
}

/**
 * Writes the site into a directory, which is emptied first.
 * @param root the repository's
 * @returns whether all is well: otherwise, such as for links that lead nowhere, the log says what is not
 */
export async function writeSite(root: string, directory: string): Promise<boolean> {
  const draw = await loadDrawing();
  const app = await Application.bootstrap({
    name: "docteur",
    tsconfig: join(root, "tsconfig.types.json"),
    entryPoints: entryPoints(root),
    readme: join(root, "README.md"),
    projectDocuments: PAGES.filter(({ file }) => file.endsWith(".md")).map(({ file }) => join(root, file)),
    out: directory,
    logLevel: "Warn",
    disableSources: true,
    excludeInternal: true,
    excludePrivate: true,
    excludeExternals: true,
    hideGenerator: true,
    githubPages: false,
    includeHierarchySummary: false,
    searchInDocuments: true,
    searchInComments: true,
    highlightLanguages: [...LANGUAGES],
    ignoredHighlightLanguages: ["console", "mermaid", "text"],
    markdownItLoader: (parser: Markdown) => drawBlocks(parser, draw),
    headings: { readme: false, document: false },
    visibilityFilters: {},
    customCss: join(root, "tools/docs/site.css"),
    favicon: join(root, "tools/docs/icon.svg"),
    categorizeByGroup: false,
    categoryOrder: [...SECTION_NAMES, "*"],
    navigation: { includeCategories: true, includeGroups: false, includeFolders: false },
    sort: ["kind", "alphabetical"],
    intentionallyNotExported: Object.entries(UNNAMED).flatMap(([file, names]) =>
      names.map((name) => `${file}:${name}`),
    ),
  });
  const pages = new Map(PAGES.map((page) => [join(root, page.file), page]));
  app.converter.on(Converter.EVENT_BEGIN, ({ project }: Context) => {
    for (const { file } of PAGES) {
      if (file.endsWith(".md")) continue;
      const page = new DocumentReflection(file, project, codePage(root, file), {});
      project.addChild(page);
      project.registerReflection(page, undefined, join(root, file) as NormalizedPath);
    }
  });
  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project }: Context) => {
    for (const document of project.documents ?? []) {
      const page = pages.get(project.files.getReflectionPath(document) ?? "")!;
      document.name = page.name;
      document.frontmatter.category = page.section;
    }
    for (const module of project.getChildrenByKind(ReflectionKind.Module) as DeclarationReflection[]) {
      module.comment ??= new Comment();
      module.comment.blockTags.push({
        tag: "@category",
        content: [{ kind: "text", text: API_SECTION }],
      } as never);
    }
  });
  app.converter.on(Converter.EVENT_RESOLVE_END, ({ project }: Context) => {
    const order = new Map(PAGES.map(({ name }, index) => [name, index]));
    for (const { title, children } of project.categories ?? [])
      if (title !== API_SECTION) children.sort((a, b) => order.get(a.name)! - order.get(b.name)!);
  });
  const project = await app.convert();
  if (project === undefined) return false;
  app.validate(project);
  await app.generateOutputs(project);
  return !app.logger.hasErrors() && !app.logger.hasWarnings();
}
