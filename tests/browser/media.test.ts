/** Chromium seeks in a sound that `docteur/http` serves, and fetches the part that it plays. */
import assert from "node:assert/strict";
import type { IncomingMessage } from "node:http";
import { test } from "node:test";
import { createHandler, toNodeListener } from "../../src/http/index.js";
import { startBrowser, whyNoBrowser } from "../support/browser.js";
import { listen, volumeOf } from "../support/site.js";

const RATE = 22_050;
const SECONDS = 600;
const HEADER_LEN = 44;
/** Bytes of a second: 16 bits, one channel. */
const SECOND_LEN = 2 * RATE;

/** A sound of ten minutes: a WAV file of linear PCM. */
function wav(): Buffer {
  const length = SECONDS * SECOND_LEN;
  const file = Buffer.alloc(HEADER_LEN + length);
  file.write("RIFF", 0, "latin1");
  file.writeUInt32LE(HEADER_LEN - 8 + length, 4);
  file.write("WAVEfmt ", 8, "latin1");
  file.writeUInt32LE(16, 16);
  file.writeUInt16LE(1, 20);
  file.writeUInt16LE(1, 22);
  file.writeUInt32LE(RATE, 24);
  file.writeUInt32LE(SECOND_LEN, 28);
  file.writeUInt16LE(2, 32);
  file.writeUInt16LE(16, 34);
  file.write("data", 36, "latin1");
  file.writeUInt32LE(length, 40);
  for (let at = HEADER_LEN; at < file.length; at += 2)
    file.writeInt16LE(Math.round(8000 * Math.sin(at / 30)), at);
  return file;
}

test("seeking in a sound", { skip: whyNoBrowser() ?? false }, async (t) => {
  const files = { "index.html": "<!doctype html><title>Sound</title>", "sound.wav": wav() };
  const answers: { range: number; status: number }[] = [];
  const listener = toNodeListener(createHandler(await volumeOf(files)));
  const origin = await listen(t, (request: IncomingMessage, response) => {
    if (request.url === "/sound.wav") {
      const range = Number(/^bytes=(\d+)-/.exec(request.headers.range ?? "")?.[1] ?? NaN);
      response.once("close", () => answers.push({ range, status: response.statusCode }));
    }
    listener(request, response);
  });
  const page = await (await startBrowser(t)).newPage();
  await page.goto(origin);
  const found = await page.evaluate(async () => {
    const audio = new Audio("sound.wav");
    audio.preload = "metadata";
    const until = (event: string): Promise<unknown> =>
      new Promise((done, fail) => {
        audio.addEventListener(event, done, { once: true });
        audio.addEventListener("error", () => fail(new Error(audio.error!.message)), { once: true });
      });
    await until("loadedmetadata");
    audio.currentTime = 540;
    await until("seeked");
    const { duration, currentTime, seekable } = audio;
    const end = seekable.end(0);
    // Ends the requests that are under way.
    audio.removeAttribute("src");
    audio.load();
    return { duration, currentTime, end };
  });
  assert.deepEqual(found, { duration: SECONDS, currentTime: 540, end: SECONDS });
  await page.close();
  assert.ok(
    answers.every(({ status }) => status === 206),
    JSON.stringify(answers),
  );
  const second = 540 * SECOND_LEN;
  assert.ok(
    answers.some(({ range }) => Math.abs(range - second) < 10 * SECOND_LEN),
    JSON.stringify(answers),
  );
});
