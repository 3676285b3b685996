/** Numbers for people. */

/** A count of bytes for people: "512 B", "1.5 MB". */
export function formatBytes(bytes: number): string {
  const units = ["B", "KB", "MB", "GB", "TB"];
  let value = bytes;
  let unit = 0;
  for (; value >= 999.5 && unit < units.length - 1; unit++) value /= 1000;
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toPrecision(2)} ${units[unit]}`;
}

/** "1 file", "2 files". */
export function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

/** A share of one for people, three digits at least: "0.123 %", "12.3 %", "1234 %". */
export function formatPercent(share: number): string {
  const percent = 100 * share;
  return `${percent >= 100 ? Math.round(percent) : percent.toPrecision(3)} %`;
}

/** "1 byte", "1,234 bytes": a count in groups of three digits. */
export function formatCount(count: number, noun: string): string {
  return `${groups(count)} ${noun}${count === 1 ? "" : "s"}`;
}

/** "1,234". */
export function groups(count: number): string {
  return String(count).replace(/\B(?=(?:\d{3})+$)/g, ",");
}

/** A duration for people: "5 s", "3 min", "2.5 h". @param milliseconds at least 0 */
export function formatDuration(milliseconds: number): string {
  const seconds = Math.ceil(milliseconds / 1000);
  if (seconds < 100) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 100 ? `${minutes} min` : `${(minutes / 60).toFixed(1)} h`;
}
