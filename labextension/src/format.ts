/** A duration as people read it, on one line. */
export function durationText(seconds: number): string {
  return seconds < 1
    ? `${Math.round(seconds * 1000)}\u00a0ms`
    : `${seconds.toFixed(seconds < 10 ? 1 : 0)}\u00a0s`;
}
