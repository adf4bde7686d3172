/** Where the text of a schedule stands between quotes in a source; null when it does not, or more than once. */
export function literalOf(source: string, text: string): { start: number; end: number } | null {
  const escaped = text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  const found = [...source.matchAll(new RegExp(`(?<=["'])${escaped}(?=["'])`, 'g'))];
  return found.length === 1 ? { start: found[0].index, end: found[0].index + text.length } : null;
}
