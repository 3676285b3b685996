/** Blobs and files of the Web's, and files that are open in Node: sources of ranges. */
import { DocteurError } from "../errors.js";
import type { RangeSource } from "./range-source.js";

/** Reads a `Blob` or a `File`. */
export function blobSource(blob: Blob): RangeSource {
  const { size, name } = blob as Blob & { name?: string };
  return {
    size,
    name: name === undefined ? "the Blob" : `the file ${name}`,
    read: async (offset, length) => new Uint8Array(await blob.slice(offset, offset + length).arrayBuffer()),
  };
}

/** What is used of a `FileHandle` of node:fs/promises. */
export interface FileHandleLike {
  stat(): Promise<{ size: number; isFile(): boolean }>;
  read(
    buffer: Uint8Array,
    offset: number,
    length: number,
    position: number,
  ): Promise<{ bytesRead: number; buffer: Uint8Array }>;
  close(): Promise<void>;
}

/**
 * Reads a file that is open. The handle is closed with the device.
 * @throws DocteurError `InvalidArgument` for a handle of anything but a regular file
 */
export async function fileHandleSource(handle: FileHandleLike): Promise<RangeSource> {
  const name = "the open file";
  const info = await handle.stat();
  if (!info.isFile())
    throw new DocteurError("InvalidArgument", `cannot open ${name}: it is not a regular file`, {
      hint: "open block devices by their paths",
    });
  let closed: Promise<void> | undefined;
  return {
    size: info.size,
    name,
    async read(offset, length) {
      const bytes = new Uint8Array(length);
      for (let done = 0; done < length; ) {
        const { bytesRead } = await handle.read(bytes, done, length - done, offset + done);
        if (bytesRead === 0) throw new DocteurError("Io", `${name} became shorter`);
        done += bytesRead;
      }
      return bytes;
    },
    close() {
      closed ??= handle.close();
      return closed;
    },
  };
}

/**
 * The bytes of a fetched answer.
 * @throws DocteurError `Io` where it is not the whole of a file, `InvalidArgument` where its body was read before
 */
export async function responseBytes(response: Response): Promise<Uint8Array> {
  if (!response.ok || response.status === 206)
    throw new DocteurError("Io", `cannot open the Response: its status is ${response.status}, not 200`);
  if (response.bodyUsed)
    throw new DocteurError("InvalidArgument", "cannot open the Response: its body has been read");
  try {
    return new Uint8Array(await response.arrayBuffer());
  } catch (cause) {
    const message = `cannot read the body of the Response: ${(cause as Error).message}`;
    throw new DocteurError("Network", message, { cause });
  }
}
