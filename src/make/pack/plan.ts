export const FEATURES = 16;
export interface PlanInput {
  count: number;
  kinds: Uint8Array;
  sizes: Float64Array;
  paths: readonly string[];
  oids: readonly Uint8Array[];
  features: Uint32Array;
  wholeCosts: Uint32Array;
}
export function candidatePairs(i: PlanInput): { bases: Uint32Array; targets: Uint32Array } {
  const b: number[] = [],
    t: number[] = [];
  for (let x = 1; x < i.count; x++)
    for (let d = 1; d <= 4 && x + d < i.count; d++)
      if (i.kinds[x] === i.kinds[x + d] && i.sizes[x]! < 64e6) {
        b.push(x);
        t.push(x + d);
      }
  return { bases: Uint32Array.from(b), targets: Uint32Array.from(t) };
}
export function chooseBases(
  i: PlanInput,
  p: { bases: Uint32Array; targets: Uint32Array },
  c: Uint32Array,
  d: number,
): Int32Array {
  const r = new Int32Array(i.count).fill(-1);
  const best = i.wholeCosts.slice();
  const depth = new Uint32Array(i.count);
  for (let k = 0; k < c.length; k++) {
    const t = p.targets[k]!,
      b = p.bases[k]!;
    if (c[k]! + 3 < best[t]! && depth[b]! < d) {
      best[t] = c[k]!;
      r[t] = b;
      depth[t] = depth[b]! + 1;
    }
  }
  return r;
}
