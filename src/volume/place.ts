/** A path that an operation is about. */
import { textBytes, textOf } from "../arguments.js";
import { quotePath } from "../text/quoted-path.js";

/** A path: as text, for the core and for errors, and as bytes where they are asked for. */
export class Place {
  readonly text: string;
  #bytes: Uint8Array | undefined;

  /** @param bytes those of a path that was not given as text */
  constructor(text: string, bytes?: Uint8Array) {
    this.text = text;
    this.#bytes = bytes;
  }

  /** What the core is told: text is encoded straight into its memory. */
  get given(): string | Uint8Array {
    return this.#bytes ?? this.text;
  }

  get bytes(): Uint8Array {
    this.#bytes ??= textBytes("the path", this.text);
    return this.#bytes;
  }
}

/** @throws DocteurError `InvalidArgument` if it is not a path */
export function placeOf(path: unknown): Place {
  if (typeof path === "string") return new Place(textOf("the path", path));
  const bytes = textBytes("the path", path);
  return new Place(quotePath(bytes), bytes);
}
