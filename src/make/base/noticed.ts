/** Paths that an image lacks something of. */

/** How many there are, and the paths of the first, as `quotePath` shows them. */
export interface Noticed {
  count: number;
  paths: string[];
}
