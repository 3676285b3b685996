/** The pages of the documentation's site: what the reader wants to do, and the documents about it. */

/** A document of the repository that is a page. */
export interface PageOfSite {
  /** From the root of the repository. */
  file: string;
  /** As the navigation has it; names of pages' files follow from it. */
  name: string;
  section: string;
}

/** The section of the modules that programs import. */
export const API_SECTION = "API reference";

/** Files by section, in the order of the navigation. The README is the start page. */
const SECTIONS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "Make, check and serve images": {
    Cookbook: "docs/COOKBOOK.md",
    Commands: "docs/COMMANDS.md",
    "Continuous integration": "docs/CI.md",
    Verifying: "docs/VERIFY.md",
    "Compared with others": "docs/COMPARED.md",
  },
  "Read images in programs": {
    Library: "docs/LIBRARY.md",
    "Inside applications": "docs/EMBEDDING.md",
    "Where images lie": "docs/DEVICES.md",
    "In C": "tests/embed/c/README.md",
    "In Go": "tests/embed/go/README.md",
    "In Java": "tests/embed/java/README.md",
    "In Python": "tests/embed/python/README.md",
    "In Rust": "tests/embed/rust/README.md",
  },
  "Write guests and hosts": {
    Guests: "docs/GUESTS.md",
    "The ABI": "docs/ABI.md",
    Runtimes: "docs/RUNTIMES.md",
  },
  "How it works": {
    "The format": "docs/FORMAT.md",
    Architecture: "docs/ARCHITECTURE.md",
    Rationale: "docs/RATIONALE.md",
    Benchmarks: "docs/BENCHMARKS.md",
    Security: "SECURITY.md",
  },
  "Schemas of --json": Object.fromEntries(
    [
      ...[
        "make",
        "verify",
        "info",
        "ls",
        "stat",
        "tree",
        "find",
        "diff",
        "grep",
        "extract",
        "layout",
        "push",
      ],
      ...["pull", "common"],
    ].map((name) => [`${name}.json`, `docs/schemas/${name}.json`]),
  ),
  Project: {
    Contributing: "CONTRIBUTING.md",
    Changes: "CHANGELOG.md",
    License: "LICENSE",
    "gitlab.yml": "docs/ci/gitlab.yml",
    "page/main.ts": "src/page/main.ts",
  },
};

/** All pages, in the order of the navigation. */
export const PAGES: readonly PageOfSite[] = Object.entries(SECTIONS).flatMap(([section, files]) =>
  Object.entries(files).map(([name, file]) => ({ file, name, section })),
);

/** The sections, in the order of the navigation. */
export const SECTION_NAMES: readonly string[] = [...Object.keys(SECTIONS), API_SECTION];
