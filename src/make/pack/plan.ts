/** v0 */
export const FEATURES = 16;
export interface PlanInput {
  count: number;
  kinds: Uint8Array;
  sizes: Float64Array;
  paths: readonly string[];
  features: Uint32Array;
  wholeCosts: Float64Array;
}
export interface Pairs {
  bases: Uint32Array;
  targets: Uint32Array;
}
export interface Limits {
  similar: number;
  reach: number;
  named: number;
}
const NONE = 0xffffffff;

function nameHash(path: string): number {
  let hash = 0;
  for (let i = 0; i < path.length; i++) {
    const c = path.charCodeAt(i);
    if (c <= 32) continue;
    hash = ((hash >>> 2) + (c << 24)) >>> 0;
  }
  return hash;
}

export function candidatePairs(input: PlanInput, limits: Limits): Pairs {
  const { count, kinds, sizes, features, wholeCosts, paths } = input;
  const K = limits.similar;
  const top = new Uint32Array(count * K).fill(NONE);
  const scores = new Float32Array(count * K).fill(Infinity);
  const eligible = (i: number): boolean => sizes[i]! >= 50 && sizes[i]! <= 64 << 20;
  const ids: number[] = [];
  for (let i = 0; i < count; i++) if (eligible(i)) ids.push(i);
  const consider = (t: number, b: number, same: number): void => {
    // expected cost
    const j = same / FEATURES;
    const s = sizes[t]!;
    const u = sizes[b]!;
    const common = Math.min((j * (s + u)) / (1 + j), s, u);
    const score = s - common + 0.02 * Math.abs(s - u);
    const at = t * K;
    const end = at + K;
    if (score >= scores[end - 1]!) return;
    for (let k = at; k < end; k++) if (top[k] === b) return;
    let k = end - 1;
    while (k > at && scores[k - 1]! > score) {
      scores[k] = scores[k - 1]!;
      top[k] = top[k - 1]!;
      k--;
    }
    scores[k] = score;
    top[k] = b;
  };
  const m = ids.length;
  const bySize = Uint32Array.from(ids).sort((a, b) => sizes[a]! - sizes[b]! || a - b);
  const keys = new Float64Array(m);
  const SPAN = 2 ** 21;
  for (let f = 0; f < FEATURES; f++) {
    const order = f % 2 ? Uint32Array.from(ids) : bySize;
    for (let r = 0; r < m; r++) keys[r] = features[order[r]! * FEATURES + f]! * SPAN + r;
    keys.sort();
    const prevs: number[] = [];
    for (let p = 0; p < m; p++) {
      const key = keys[p]!;
      const value = Math.floor(key / SPAN);
      const a = order[key % SPAN]!;
      for (let d = 1; d <= limits.reach && p + d < m; d++) {
        const key2 = keys[p + d]!;
        if (Math.floor(key2 / SPAN) !== value) break;
        const b = order[key2 % SPAN]!;
        if (kinds[a] !== kinds[b]) continue;
        let same = 0;
        for (let i = a * FEATURES, j = b * FEATURES, e = i + FEATURES; i < e; i++, j++)
          if (features[i] === features[j]) same++;
        consider(a, b, same);
        consider(b, a, same);
      }
    }
  }
  const pairKeys: number[] = [];
  for (const t of ids)
    for (let k = t * K; k < t * K + K; k++) if (top[k] !== NONE) pairKeys.push(top[k]! * SPAN + t);
  // names
  for (let r = 0; r < m; r++) keys[r] = nameHash(paths[bySize[r]!]!) * SPAN + r;
  keys.sort();
  for (let p = 0; p < m; p++) {
    const a = bySize[keys[p]! % SPAN]!;
    for (let d = 1; d <= limits.named && p + d < m; d++) {
      const b = bySize[keys[p + d]! % SPAN]!;
      if (kinds[a] !== kinds[b]) continue;
      pairKeys.push(b * SPAN + a, a * SPAN + b);
    }
  }
  const all = Float64Array.from(pairKeys).sort();
  let n = 0;
  for (let i = 0; i < all.length; i++) if (i === 0 || all[i] !== all[i - 1]) all[n++] = all[i]!;
  const bases = new Uint32Array(n);
  const targets = new Uint32Array(n);
  for (let i = 0; i < n; i++) {
    bases[i] = Math.floor(all[i]! / SPAN);
    targets[i] = all[i]! % SPAN;
  }
  return { bases, targets };
}

const OFS = 3;
export function chooseBases(input: PlanInput, pairs: Pairs, costs: Uint32Array, depth: number): Int32Array {
  const { count, wholeCosts } = input;
  const { bases, targets } = pairs;
  const chosen = new Int32Array(count).fill(-1);
  const cost = Float64Array.from(wholeCosts);
  const heights = new Uint16Array(count);
  const E = bases.length;
  const savings: number[] = [];
  for (let e = 0; e < E; e++) {
    const s = wholeCosts[targets[e]!]! - costs[e]! - OFS;
    if (s > 0) savings.push(s * 2 ** 24 + (2 ** 24 - 1 - e));
  }
  const sorted = Float64Array.from(savings).sort().reverse();
  const levelOf = (i: number): number => {
    let d = 0;
    for (let j = chosen[i]!; j >= 0; j = chosen[j]!) d++;
    return d;
  };
  const inTree = (b: number, t: number): boolean => {
    for (let j = b; j >= 0; j = chosen[j]!) if (j === t) return true;
    return false;
  };
  const raise = (b: number, t: number): void => {
    let h = heights[t]! + 1;
    for (let j = b; j >= 0 && heights[j]! < h; j = chosen[j]!, h++) heights[j] = h;
  };
  for (const key of sorted) {
    const e = 2 ** 24 - 1 - (key % 2 ** 24);
    const b = bases[e]!;
    const t = targets[e]!;
    if (chosen[t]! >= 0 || inTree(b, t) || levelOf(b) + 1 + heights[t]! > depth) continue;
    chosen[t] = b;
    cost[t] = costs[e]! + OFS;
    raise(b, t);
  }
  for (let pass = 0; pass < 4; pass++) {
    heights.fill(0);
    for (let i = 0; i < count; i++) {
      let h = 1;
      for (let j = chosen[i]!; j >= 0 && heights[j]! < h; j = chosen[j]!, h++) heights[j] = h;
    }
    let changed = 0;
    for (const key of sorted) {
      const e = 2 ** 24 - 1 - (key % 2 ** 24);
      const b = bases[e]!;
      const t = targets[e]!;
      if (costs[e]! + OFS >= cost[t]! || inTree(b, t) || levelOf(b) + 1 + heights[t]! > depth) continue;
      chosen[t] = b;
      cost[t] = costs[e]! + OFS;
      raise(b, t);
      changed++;
    }
    if (!changed) break;
  }
  return chosen;
}
