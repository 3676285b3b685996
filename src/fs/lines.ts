/** Text line by line, as `node:readline` of Node 20 cuts it. */

const decoderNames: Readonly<Record<string, string>> = { utf16le: "utf-16le", ucs2: "utf-16le" };

/**
 * @param chunks the text's bytes
 * @param encoding UTF-8, or `utf16le`
 * @returns the lines without their ends, which are LF, CR or CR LF
 */
export async function* readLines(
  chunks: AsyncIterable<Uint8Array>,
  encoding = "utf8",
): AsyncGenerator<string, void, undefined> {
  const decoder = new TextDecoder(decoderNames[encoding] ?? "utf-8", { ignoreBOM: true });
  let rest = "";
  const take = function* (text: string, isEnd: boolean): Generator<string> {
    const lines = text.split(/\r\n|[\n\r]/);
    rest = lines.pop()!;
    yield* lines;
    if (isEnd && rest !== "") yield rest;
  };
  for await (const chunk of chunks) {
    const text = rest + decoder.decode(chunk, { stream: true });
    // A CR at the end may be half of a CR LF.
    const end = text.endsWith("\r") ? text.length - 1 : text.length;
    yield* take(text.slice(0, end), false);
    rest += text.slice(end);
  }
  yield* take(rest + decoder.decode(), true);
}
