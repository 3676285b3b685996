/** Files that people pick or drop, with their paths. */

/** A file and its path. */
export type Picked = [path: string, file: File];

/** Files of an input. A folder's files have its name in front. */
export function pickedFiles(input: HTMLInputElement): Picked[] {
  return [...(input.files ?? [])].map((file) => [file.webkitRelativePath || file.name, file]);
}

async function entriesIn(folder: FileSystemDirectoryEntry): Promise<FileSystemEntry[]> {
  const reader = folder.createReader();
  const all: FileSystemEntry[] = [];
  // A reader gives a hundred at a time.
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) =>
      reader.readEntries(resolve, reject),
    );
    if (some.length === 0) return all;
    all.push(...some);
  }
}

async function filesIn(entry: FileSystemEntry): Promise<Picked[]> {
  const path = entry.fullPath.replace(/^\//, "");
  if (entry.isFile) {
    const file = await new Promise<File>((resolve, reject) =>
      (entry as FileSystemFileEntry).file(resolve, reject),
    );
    return [[path, file]];
  }
  const found: Picked[] = [];
  for (const one of await entriesIn(entry as FileSystemDirectoryEntry)) found.push(...(await filesIn(one)));
  return found;
}

/** Files and folders that were dropped. */
export async function droppedFiles(transfer: DataTransfer): Promise<Picked[]> {
  // The list is empty once the event is over: all entries are taken at once.
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry());
  const files = [...transfer.files];
  const found: Picked[] = [];
  for (const entry of entries) if (entry !== null) found.push(...(await filesIn(entry)));
  return found.length > 0 ? found : files.map((file) => [file.name, file]);
}

/** Whether a file is an image: after a commit's id and eight bytes, there is a pack. */
export async function isImage(file: Blob): Promise<boolean> {
  const head = new Uint8Array(await file.slice(0, 64).arrayBuffer());
  return new TextDecoder("latin1").decode(head.subarray(28, 32)) === "PACK";
}
