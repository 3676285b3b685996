/**
 * In the place of `asm/art/directory-cache.ts` in guests, which look up too few paths for shortcuts to pay: there
 * are none.
 */
export function hasShortcuts(_count: u32): bool {
  return false;
}

export function directoryLen(_keyPtr: usize, _keyLen: u32): u32 {
  return 0;
}

export function shortcutOf(_keyPtr: usize, _len: u32): usize {
  return 0;
}

export function shortcutNode(_entry: usize, _keyPtr: usize, _len: u32): usize {
  return 0;
}

export function shortcutDepth(_entry: usize): u32 {
  return 0;
}

export function shortcutPut(_entry: usize, _node: usize, _depth: u32, _keyPtr: usize, _len: u32): void {}

export function shortcutStale(): void {}

export function shortcutInit(): void {}

export function shortcutReset(): void {}
