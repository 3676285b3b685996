/** `docteur completion`: the shells themselves complete lines with the scripts. */
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { appendFileSync, copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { COMMANDS } from "../../tools/commands/table.js";
import { docteur } from "../support/cli.js";
import { distPath } from "../support/programs.js";
import { unlessRequired } from "../support/required.js";
import { temporaryFolder } from "../support/temporary.js";

const folder = temporaryFolder({ after });
const env = {
  ...process.env,
  PATH: `${join(folder, "bin")}:${process.env.PATH}`,
  TERM: "dumb",
  HOME: folder,
};
const QUOTES = `it's "q".txt`;

const has = (program: string): boolean => spawnSync(program, ["--version"]).error === undefined;
const whyNot = (...programs: string[]): string | undefined => {
  const missing = programs.filter((program) => !has(program));
  return missing.length === 0 ? undefined : `${missing.join(" and ")} cannot be run here`;
};

before(async () => {
  for (const path of [
    "docs/plain.txt",
    `docs/${QUOTES}`,
    "docs/a b/c.txt",
    "lib/x.js",
    ".hidden",
    "README.md",
  ]) {
    mkdirSync(join(folder, "site", path, ".."), { recursive: true });
    writeFileSync(join(folder, "site", path), path);
  }
  const made = await docteur(["make", "-q", "site", "t.img"], { cwd: folder });
  assert.equal(made.status, 0, made.stderr);
  copyFileSync(join(folder, "t.img"), join(folder, "my image.img"));
  mkdirSync(join(folder, "bin"));
  const program = `#!/bin/sh\nexec '${process.execPath}' '${distPath("tools/docteur.js")}' "$@"\n`;
  writeFileSync(join(folder, "bin/docteur"), program, { mode: 0o755 });
  for (const [shell, name] of Object.entries({
    bash: "docteur.bash",
    zsh: "_docteur",
    fish: "docteur.fish",
  })) {
    const { status, stdout, stderr } = await docteur(["completion", shell]);
    assert.deepEqual([status, stderr], [0, ""]);
    writeFileSync(join(folder, name), stdout);
  }
});

async function candidates(...args: string[]): Promise<string> {
  const { status, stdout, stderr } = await docteur(["completion", "--paths", ...args], { cwd: folder });
  assert.deepEqual([status, stderr], [0, ""]);
  return stdout;
}

test("--paths prints the entries that begin with a prefix, in its form", async () => {
  assert.equal(await candidates("t.img", ""), "README.md\ndocs/\nlib/\n");
  assert.equal(await candidates("t.img", "/"), "/README.md\n/docs/\n/lib/\n");
  assert.equal(await candidates("t.img", "."), ".hidden\n");
  assert.equal(await candidates("t.img", "docs/"), `docs/a b/\ndocs/${QUOTES}\ndocs/plain.txt\n`);
  assert.equal(await candidates("t.img", "docs/a b/"), "docs/a b/c.txt\n");
});

test("--paths is silent about what it cannot list", async () => {
  writeFileSync(join(folder, "no.img"), "not an image");
  for (const args of [
    ["none.img", "/"],
    ["no.img", "/"],
    ["t.img", "/none/"],
    ["http://127.0.0.1:1/x.img", "/"],
  ])
    assert.equal(await candidates(...args), "", args.join(" "));
});

test("an unknown shell is an error", async () => {
  const { status, stderr } = await docteur(["completion", "fisch"]);
  assert.equal(status, 16);
  assert.match(stderr, /no such shell: fisch\nhint: did you mean fish\?/);
});

/** Lines that are typed before the tab key, and what bash and zsh make of each. Spaces at the end do not count. */
const LINES: readonly (readonly [typed: string, bash: string, zsh?: string])[] = [
  ["docteur mak", "docteur make"],
  ["docteur help tr", "docteur help tree"],
  ["docteur cat --mod", "docteur cat --mode", "docteur cat --mode="],
  ["docteur cat --mode=li", "docteur cat --mode=light"],
  ["docteur cat --mode an", "docteur cat --mode analyze"],
  ["docteur grep --color alw", "docteur grep --color always"],
  ["docteur guest man", "docteur guest manifest"],
  ["docteur cat t.i", "docteur cat t.img"],
  ["docteur cat t.img do", "docteur cat t.img docs/"],
  ["docteur cat t.img /docs/pl", "docteur cat t.img /docs/plain.txt"],
  ["docteur cat t.img /docs/a", "docteur cat t.img /docs/a\\ b/"],
  // bash closes quotes around what is not a directory of this machine.
  ['docteur cat t.img "docs/a ', 'docteur cat t.img "docs/a b/"', 'docteur cat t.img "docs/a b/'],
  ["docteur cat t.img docs/it", `docteur cat t.img docs/it\\'s\\ \\"q\\".txt`],
  ["docteur cat -L --mode fast 'my image.img' lib/x", "docteur cat -L --mode fast 'my image.img' lib/x.js"],
  ["docteur cat my\\ image.img lib/x", "docteur cat my\\ image.img lib/x.js"],
  ["docteur grep -A 3 pattern t.img docs/pl", "docteur grep -A 3 pattern t.img docs/plain.txt"],
  ["docteur diff t.img t.img lib/x", "docteur diff t.img t.img lib/x.js"],
  ["docteur cat none.img do", "docteur cat none.img do"],
  ["docteur make --add v1=si", "docteur make --add v1=site/"],
  ["docteur make --add=v1=t.i", "docteur make --add=v1=t.img"],
  ["docteur serve docs=t.i", "docteur serve docs=t.img"],
  ["solo5-wasm --me", "solo5-wasm --mem="],
  ["solo5-wasm --vers", "solo5-wasm --version"],
  ["solo5-wasm --block:docteur=t.i", "solo5-wasm --block:docteur=t.img"],
  ["solo5-wasm --mem=5 t.i", "solo5-wasm --mem=5 t.img"],
];

/** Types each line into a shell on a terminal, and presses tab. @returns the lines after it */
async function press(shell: string, start: string, typed: readonly string[]): Promise<string[]> {
  const out = join(folder, `lines-${shell.split(" ")[0]}`);
  appendFileSync(out, "");
  const child = spawn("script", ["-qfc", shell, "/dev/null"], {
    cwd: folder,
    env,
    stdio: ["pipe", "ignore", "inherit"],
  });
  const answers = (): string[] => readFileSync(out, "utf8").split("\n").slice(0, -1);
  const lines = (): string[] => answers().filter((line) => line !== "");
  const until = async (isDone: () => boolean, again?: () => void): Promise<void> => {
    for (let tries = 1; !isDone(); tries++) {
      assert.ok(tries < 2400, `${shell} does not answer after ${lines().at(-1)}`);
      await pause(50);
      if (tries % 20 === 0) again?.();
    }
  };
  try {
    child.stdin.write(`${start}; echo READY >> ${out}\n`);
    await until(() => lines().length > 0);
    // Keys before the editor of lines has begun may be lost. It answers with the empty line.
    await until(
      () => answers().length > lines().length,
      () => child.stdin.write("\x18"),
    );
    for (const [index, line] of typed.entries()) {
      child.stdin.write(`${line}\t\x18`);
      await until(() => lines().length > index + 1);
    }
    return lines().slice(1);
  } finally {
    // Without its terminal, the shell ends, too. A weaker signal may be ignored.
    child.kill("SIGKILL");
    await once(child, "close");
  }
}

test("bash completes", { skip: unlessRequired("shells", whyNot("bash", "script")) }, async () => {
  const probe = `_probe() { printf '%s\\n' "$READLINE_LINE" >> lines-bash; READLINE_LINE=; }`;
  const bind = `bind -x '"\\C-x": _probe'; bind 'set keyseq-timeout 1'`;
  const start = `. ./docteur.bash; ${probe}; bind -r '\\C-x\\C-x' 2>/dev/null; ${bind}`;
  const found = await press(
    "bash --norc --noprofile -i",
    start,
    LINES.map(([typed]) => typed),
  );
  assert.deepEqual(
    found.map((line) => line.trimEnd()),
    LINES.map(([, bash]) => bash),
  );
});

test("zsh completes", { skip: unlessRequired("shells", whyNot("zsh", "script")) }, async () => {
  const probe = `_probe() { print -r -- "$BUFFER" >> lines-zsh; BUFFER=; }; zle -N _probe; bindkey -e; bindkey -r '^X'; bindkey '^X' _probe`;
  const start = `fpath=($PWD $fpath); autoload -Uz compinit; compinit -u -D; KEYTIMEOUT=1; ${probe}`;
  const found = await press(
    "zsh -f -i",
    start,
    LINES.map(([typed]) => typed),
  );
  assert.deepEqual(
    found.map((line) => line.trimEnd()),
    LINES.map(([, bash, zsh]) => zsh ?? bash),
  );
});

/** The words that fish offers for a line, without their descriptions. */
function offered(line: string): string[] {
  const script = `source docteur.fish; complete -C ${JSON.stringify(line).replaceAll("$", "\\$")}`;
  const { status, stdout, stderr } = spawnSync("fish", ["--no-config", "-c", script], {
    cwd: folder,
    env,
    encoding: "utf8",
  });
  assert.deepEqual([status, stderr], [0, ""]);
  return stdout
    .split("\n")
    .filter((text) => text !== "")
    .map((text) => text.split("\t")[0]!);
}

test("fish completes", { skip: unlessRequired("shells", whyNot("fish")) }, () => {
  assert.deepEqual(offered("docteur mak"), ["make"]);
  assert.deepEqual(offered("docteur help tr"), ["tree"]);
  assert.ok(offered("docteur cat --mod").includes("--mode"));
  assert.deepEqual(offered("docteur cat --mode=li"), ["--mode=light"]);
  assert.deepEqual(offered("docteur cat --mode "), ["analyze", "fast", "light"]);
  assert.deepEqual(offered("docteur cat t.im"), ["t.img"]);
  assert.deepEqual(offered("docteur cat t.img ").sort(), ["README.md", "docs/", "lib/"]);
  assert.deepEqual(offered("docteur cat t.img docs/it"), [`docs/${QUOTES}`]);
  assert.deepEqual(offered('docteur cat t.img "docs/a '), ["docs/a b/"]);
  assert.deepEqual(offered("docteur grep -A 3 pattern my\\ image.img docs/pl"), ["docs/plain.txt"]);
  assert.deepEqual(offered("docteur cat none.img "), []);
  assert.deepEqual(offered("docteur make --add v1=si"), ["v1=site/"]);
  assert.deepEqual(offered("docteur serve docs=t.im"), ["docs=t.img"]);
  assert.deepEqual(offered("solo5-wasm --bl").sort(), ["--block-sector-size:", "--block:"]);
  assert.deepEqual(offered("solo5-wasm --block:docteur=t.im"), ["--block:docteur=t.img"]);
  assert.deepEqual(offered("solo5-wasm t.im"), ["t.img"]);
});

test("every subcommand and every option is in every script", async () => {
  for (const name of ["docteur.bash", "_docteur", "docteur.fish"]) {
    const script = readFileSync(join(folder, name), "utf8");
    for (const [command, load] of Object.entries(COMMANDS)) {
      assert.ok(script.includes(command), `${name}: ${command}`);
      for (const option of Object.keys((await load()).command.options))
        if (option.length > 1)
          assert.match(script, new RegExp(`(?:--|-l )${option}\\b`), `${name}: ${command}: ${option}`);
    }
  }
});
