/** Changes to the layout section of an image, with its checksums made right again. */
import { crc32 } from "../../src/git/crc32.js";
import { FIELD, FOOTER, PAGE, pageCrc } from "../../src/layout/format.js";

/** The section at the end of an image's bytes, which may be changed. */
export class Section {
  readonly bytes: Uint8Array;
  readonly #footer: DataView;

  /** @param image is copied */
  constructor(image: Uint8Array) {
    this.bytes = new Uint8Array(image);
    this.#footer = new DataView(this.bytes.buffer, this.bytes.length - FOOTER, FOOTER);
  }

  get pageSize(): number {
    return this.#footer.getUint32(FIELD.pageSize, true);
  }

  get pages(): number {
    return this.#footer.getUint32(FIELD.pages, true);
  }

  get leaves(): number {
    return this.#footer.getUint32(FIELD.leaves, true);
  }

  /** The bytes of a page. */
  page(number: number): Uint8Array {
    const start = this.bytes.length - FOOTER - (this.pages - number) * this.pageSize;
    return this.bytes.subarray(start, start + this.pageSize);
  }

  /** Changes the footer and makes its checksum right. */
  patchFooter(change: (footer: DataView) => void): void {
    change(this.#footer);
    const bytes = this.bytes.subarray(this.bytes.length - FOOTER);
    this.#footer.setUint32(FIELD.crc, crc32(bytes.subarray(0, FIELD.crc)), true);
  }

  /** Changes a page and makes its checksum right. */
  patchPage(number: number, change: (page: Uint8Array, view: DataView) => void): void {
    const page = this.page(number);
    const view = new DataView(page.buffer, page.byteOffset, page.length);
    change(page, view);
    const start = this.#footer.byteOffset + FIELD.trailer;
    view.setUint32(PAGE.crc, pageCrc(page, number, this.bytes.subarray(start, start + 20)), true);
  }
}
