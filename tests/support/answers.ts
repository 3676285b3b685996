/** Everything that a reader says of a sound image, to hold against what it says when the image is damaged. */
import assert from "node:assert/strict";
import { DocteurError, type Entry, STATUS, type Volume } from "../../src/index.js";

/** What came of a question: the answer that a sound image gives, a typed error, or anything else. */
export type Outcome = "right" | "refused" | "wrong";

/** What is asked: of the volume's whole content each time, or of all paths by one method. */
interface Question {
  what: string;
  /** Whether the answer tells sizes, which are proven with ids alone. */
  tellsSizes: boolean;
  ask(volume: Volume): Promise<string | Uint8Array>;
}

/** Codes that are answers about a path, no damage; and those of a host that does not work. */
const FIRST_OF_DAMAGE = STATUS.OutOfMemory;

/** Whether an error says that the image is damaged, or beyond limits. @throws what is no DocteurError */
function isRefusal(error: unknown): boolean {
  if (!(error instanceof DocteurError)) throw error;
  return (STATUS[error.code as keyof typeof STATUS] ?? 0) >= FIRST_OF_DAMAGE;
}

/** An answer, or an error that a sound image gives, too. */
async function answerOf(volume: Volume, { ask }: Question): Promise<string | Uint8Array | undefined> {
  try {
    return await ask(volume);
  } catch (error) {
    if (isRefusal(error)) return undefined;
    return `${(error as DocteurError).code}`;
  }
}

function isSame(left: string | Uint8Array, right: string | Uint8Array): boolean {
  if (typeof left === "string" || typeof right === "string") return left === right;
  return Buffer.compare(left, right) === 0;
}

function shown({ path, kind, mode, oid, size }: Entry): string {
  return `${path} ${kind} ${mode} ${oid} ${size}`;
}

/** The questions that an image can be asked, and their answers. */
export class Answers {
  /** Asked each time: lists of all folders, contents of all files. */
  readonly #always: Question[] = [];
  /** Asked in turn, all of one kind at a time. */
  readonly #inTurn: Question[][] = [];
  readonly #expected = new Map<Question, string | Uint8Array>();

  /** @param volume of the sound image */
  static async of(volume: Volume): Promise<Answers> {
    const answers = new Answers();
    const folders: string[] = [];
    const entries: Entry[] = [];
    const walk = async (folder: string): Promise<void> => {
      folders.push(folder);
      for (const entry of await volume.list(folder)) {
        entries.push(entry);
        if (entry.kind === "directory") await walk(entry.path);
      }
    };
    await walk("/");
    answers.#prepare(folders, entries, volume.commit.tree);
    for (const question of [...answers.#always, ...answers.#inTurn.flat()]) {
      const answer = await answerOf(volume, question);
      assert.ok(answer !== undefined, question.what);
      answers.#expected.set(question, typeof answer === "string" ? answer : answer.slice());
    }
    return answers;
  }

  #prepare(folders: readonly string[], entries: readonly Entry[], root: string): void {
    const always = this.#always;
    const question = (what: string, ask: Question["ask"], tellsSizes = false): Question => ({
      what,
      ask,
      tellsSizes,
    });
    const files = entries.filter(({ kind }) => kind !== "directory" && kind !== "submodule");
    const links = entries.filter(({ kind }) => kind === "symlink");
    const ids = [
      ...new Set([root, ...entries.filter(({ kind }) => kind !== "submodule").map(({ oid }) => oid)]),
    ];
    always.push(
      question("commit", async ({ commit }) => `${commit.oid} ${commit.tree} ${commit.date?.getTime()}`),
    );
    for (const folder of folders)
      always.push(
        question(`list ${folder}`, async (volume) => (await volume.list(folder)).map(shown).join("\n")),
      );
    for (const { path } of files) always.push(question(`get ${path}`, (volume) => volume.get(path)));
    this.#inTurn.push(
      entries.map(({ path }) =>
        question(`stat ${path}`, async (volume) => shown(await volume.stat(path)), true),
      ),
      folders.map((path) =>
        question(
          `list with sizes ${path}`,
          async (volume) => (await volume.list(path, { sizes: true })).map(shown).join("\n"),
          true,
        ),
      ),
      files.map(({ path }) => question(`getPartial ${path}`, (volume) => volume.getPartial(path, 2, 9))),
      entries.map(({ path }) => question(`digest ${path}`, (volume) => volume.digest(path))),
      links.map(({ path }) => question(`follow ${path}`, (volume) => volume.get(path, { follow: true }))),
      files.map(({ path }) => question(`size ${path}`, async (volume) => `${await volume.size(path)}`, true)),
      ids.map((oid) =>
        question(`object ${oid}`, async (volume) => {
          const { kind, data } = await volume.object(oid);
          return Buffer.concat([Buffer.from(kind), data]);
        }),
      ),
      [...folders, ...files.map(({ path }) => path)].map((path) =>
        question(`exists ${path}`, async (volume) => {
          const inside = await volume.exists(`${path}/no such name`).catch((error) => {
            if (isRefusal(error)) throw error;
            return (error as DocteurError).code;
          });
          return `${await volume.exists(path)} ${inside}`;
        }),
      ),
    );
  }

  /** How many kinds of questions are asked in turn. */
  get turns(): number {
    return this.#inTurn.length;
  }

  /**
   * Asks a volume of a damaged image.
   * @param turn which questions beside those that are always asked; all of them where it is left out
   * @param tell called for each
   */
  async check(
    volume: Volume,
    turn: number | undefined,
    tell: (outcome: Outcome, question: string, tellsSizes: boolean) => void,
  ): Promise<void> {
    const inTurn = turn === undefined ? this.#inTurn.flat() : this.#inTurn[turn % this.#inTurn.length]!;
    for (const questions of [this.#always, inTurn])
      for (const question of questions) {
        const answer = await answerOf(volume, question);
        const isRight = answer !== undefined && isSame(answer, this.#expected.get(question)!);
        tell(
          answer === undefined ? "refused" : isRight ? "right" : "wrong",
          question.what,
          question.tellsSizes,
        );
      }
  }
}
