/** The calls that the page makes to its worker, which has the image, and the events that come back. */
import type { Commit, EntryKind } from "../index.js";
import type { Report } from "../verify/index.js";

/** A file or directory of the image. */
export interface Item {
  name: string;
  /** For people. */
  path: string;
  /** The path's bytes, which lead to it even if it is not UTF-8. */
  bytes: Uint8Array;
  kind: EntryKind;
  oid: string;
  size: number | undefined;
}

/** An image that was opened. */
export interface Opened {
  name: string;
  /** Bytes. */
  size: number;
  commit: Commit;
  /** Whether a certain commit was asked for. */
  isExpected: boolean;
}

/** A part of a directory. */
export interface Listed {
  items: Item[];
  hasMore: boolean;
}

/** Bytes of a file's beginning. */
export interface Content {
  item: Item;
  bytes: Uint8Array<ArrayBuffer>;
}

/** An image that was made. */
export interface Made {
  image: Uint8Array<ArrayBuffer>;
  commit: string;
  fileCount: number;
  contentBytes: number;
}

/** The calls. Each can be made while others are under way. */
export interface Api {
  /** Opens an image, in place of the one before. @param commit that it must hold */
  open(source: string | File | Uint8Array, name: string, commit: string | undefined): Promise<Opened>;
  /** @param after the name after which the part begins */
  list(path: Uint8Array, after: Uint8Array | undefined): Promise<Listed>;
  /** @param most bytes of its content */
  read(path: Uint8Array, most: number): Promise<Content>;
  /** Items whose paths hold a text, in any case of letters, as events of `found`. A new search ends the one before. */
  search(text: string): Promise<{ hasMore: boolean }>;
  /** Verifies the whole image, which is fetched for it. */
  verify(): Promise<Report>;
  make(files: [path: string, content: File][]): Promise<Made>;
}

/** What was fetched since the image was opened. */
export interface Activity {
  requests: number;
  bytes: number;
  /** Pages that a read found in memory or in the browser's cache. */
  hits: number;
  misses: number;
  /** Ranges that were fetched since the last event: first byte, and bytes. */
  ranges: [offset: number, length: number][];
}

/** What the worker tells besides. */
export type Event =
  | { event: "activity"; activity: Activity }
  | { event: "progress"; text: string; done: number; total: number | undefined }
  | { event: "found"; items: Item[] };

/** A call. */
export interface Call {
  id: number;
  method: keyof Api;
  args: unknown[];
}

/** The end of a call. */
export type Reply =
  | { id: number; value: unknown }
  | { id: number; error: { message: string; hint: string | undefined } };
