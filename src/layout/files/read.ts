/** Reads from an image all that its layout section is made of. */
import { toDevice } from "../../devices/open.js";
import { DocteurError } from "../../errors.js";
import { OID } from "../../git/entry.js";
import { oidBytes } from "../../git/oid.js";
import { open } from "../../open.js";
import type { Idx } from "../../pack-table/idx.js";
import { ImageBytes } from "../../pack-table/image-bytes.js";
import { PackTable } from "../../pack-table/pack-table.js";
import { endOf, type ImageEnd } from "../footer.js";
import { FOOTER } from "../format.js";
import { type LayoutObjects, rowsOfRanks, type SeekPoints } from "../objects.js";
import type { Frame } from "../section.js";
import { SeekFinder } from "../seek-points.js";
import { blobSizes } from "./sizes.js";

/** An image and its objects. */
export interface ImageObjects {
  objects: LayoutObjects;
  frame: Frame;
}

const BLOCK_SIZE = 512;

/** An image, open. */
export class OpenImage {
  readonly path: string;
  readonly bytes: ImageBytes;
  readonly #close: () => Promise<void>;
  #finder: SeekFinder | undefined;

  private constructor(path: string, bytes: ImageBytes, close: () => Promise<void>) {
    this.path = path;
    this.bytes = bytes;
    this.#close = close;
  }

  /** @throws DocteurError `Io` */
  static async open(path: string): Promise<OpenImage> {
    const device = await toDevice(path, { blockSize: BLOCK_SIZE });
    return new OpenImage(path, new ImageBytes(device), async () => device.close?.());
  }

  async close(): Promise<void> {
    await this.#close();
  }

  /** The end of the image. */
  async end(): Promise<ImageEnd> {
    const { capacity } = this.bytes;
    const length = Math.min(FOOTER, capacity);
    return endOf(await this.bytes.copy(capacity - length, length), capacity);
  }

  /**
   * Gives the objects of the image to a function.
   * @param bareSize bytes of the image without a section
   * @param sizesOf the sizes of the contents of all rows, if the caller knows them
   * @throws DocteurError errors of a damaged image
   */
  async withObjects<T>(
    bareSize: number,
    use: (image: ImageObjects) => Promise<T>,
    sizesOf?: (idx: Idx, ranks: Uint32Array) => Float64Array,
  ): Promise<T> {
    const { bytes } = this;
    const frame = await bytes.frame();
    const idx = await bytes.idx(frame);
    const table = await PackTable.read(bytes, frame, idx);
    const { ranks, end } = table;
    const volume = await open(this.path, { proof: "oid" });
    try {
      const objects: LayoutObjects = {
        idx,
        ranks,
        rowOfRank: rowsOfRanks(ranks),
        offsets: table.offsets,
        end,
        bases: table.bases,
        types: table.types(),
        sizes: sizesOf === undefined ? await blobSizes(bytes, table) : sizesOf(idx, ranks),
        seekPoints: (row) => this.#seekPoints(table, row),
        tree: async (row) => (await volume.object(idx.oid(ranks[row]!))).data,
      };
      const rowOf = (oid: string): number => {
        const rank = idx.rankOf(oidBytes(oid));
        if (rank >= 0) return objects.rowOfRank[rank]!;
        throw new DocteurError("MissingObject", `an object is not in the image: ${oid}`, { oid });
      };
      const { oid, tree } = volume.commit;
      return await use({
        objects,
        frame: {
          commit: oidBytes(oid),
          commitRow: rowOf(oid),
          rootRow: rowOf(tree),
          trailer: idx.packTrailer,
          packSize: end + OID,
          idxStart: frame.idxStart,
          bareSize,
        },
      });
    } finally {
      await volume.close();
    }
  }

  /** The seek points of a blob that is stored whole. */
  async #seekPoints(table: PackTable, row: number): Promise<SeekPoints | undefined> {
    const offset = table.offsets[row]!;
    this.#finder ??= await SeekFinder.create();
    return this.#finder.findInEntry(
      (at, length) => this.bytes.at(at, length),
      offset,
      offset + table.size(row),
    );
  }
}
