/** A file's content as a Web `ReadableStream`, read as it is asked for. */

/** The most bytes that are read at once. */
const PIECE = 1 << 20;

/** Reads a piece at an offset, at most `length` bytes: an empty one only at the end. */
export type ReadPiece = (
  offset: number,
  length: number,
  signals: readonly AbortSignal[],
) => Promise<Uint8Array<ArrayBuffer>>;

/**
 * @param read reads a piece
 * @param offset where the stream begins
 * @param length its most bytes
 * @param signal ends it with an error
 * @returns a byte stream, which reads nothing ahead
 */
export function contentStream(
  read: ReadPiece,
  offset: number,
  length: number,
  signal: AbortSignal | undefined,
): ReadableStream<Uint8Array> {
  const cancelled = new AbortController();
  const signals = signal === undefined ? [cancelled.signal] : [cancelled.signal, signal];
  let left = length;
  let fail: (() => void) | undefined;
  const forget = (): void => {
    if (fail !== undefined) signal?.removeEventListener("abort", fail);
  };
  const next = async (room: number): Promise<Uint8Array<ArrayBuffer>> => {
    const count = Math.min(left, room);
    const piece = count === 0 ? new Uint8Array(0) : await read(offset, count, signals);
    offset += piece.length;
    left -= piece.length;
    if (piece.length === 0) forget();
    return piece;
  };
  return new ReadableStream(
    {
      type: "bytes",
      start(controller) {
        if (signal === undefined) return;
        fail = () => controller.error(signal.reason);
        if (signal.aborted) fail();
        else signal.addEventListener("abort", fail, { once: true });
      },
      async pull(controller) {
        const request = controller.byobRequest;
        const view = request?.view;
        const piece = await next(view?.byteLength ?? PIECE);
        if (piece.length === 0) controller.close();
        if (request === null || view === null || view === undefined) {
          if (piece.length > 0) controller.enqueue(piece);
          return;
        }
        new Uint8Array(view.buffer as ArrayBuffer, view.byteOffset, view.byteLength).set(piece);
        request.respond(piece.length);
      },
      cancel(reason) {
        forget();
        cancelled.abort(reason);
      },
    },
    { highWaterMark: 0 },
  );
}
