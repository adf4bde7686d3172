/** A duration as people read it, on one line. */
export function durationText(seconds: number): string {
  if (seconds < 1) {
    return `${Math.round(seconds * 1000)}\u00a0ms`;
  }
  if (seconds < 60) {
    return `${seconds.toFixed(seconds < 9.95 ? 1 : 0)}\u00a0s`;
  }
  return roughText(seconds);
}

/** A duration without fractions, for what changes every second. */
export function roughText(seconds: number): string {
  if (seconds < 59.5) {
    return `${Math.round(seconds)}\u00a0s`;
  }
  const minutes = Math.floor(Math.round(seconds) / 60);
  return minutes < 60
    ? `${minutes}\u00a0min ${Math.round(seconds) % 60}\u00a0s`
    : `${Math.floor(minutes / 60)}\u00a0h ${minutes % 60}\u00a0min`;
}

/** A number of bytes as people read it. */
export function sizeText(bytes: number): string {
  const units = ['bytes', 'KB', 'MB', 'GB'];
  let [size, unit] = [bytes, 0];
  while (size >= 1000 && unit < units.length - 1) {
    size /= 1000;
    unit += 1;
  }
  return `${unit > 0 && size < 10 ? size.toFixed(1) : Math.round(size)}\u00a0${units[unit]}`;
}

const STEPS: [number, Intl.RelativeTimeFormatUnit][] = [
  [60, 'second'],
  [60, 'minute'],
  [24, 'hour'],
  [30, 'day'],
  [12, 'month'],
  [Infinity, 'year']
];

/**
 * How long ago something was.
 *
 * @param at - ISO 8601.
 * @param now - milliseconds as `Date.now()` counts.
 * @param locale - BCP 47; the browser's by default.
 */
export function agoText(at: string, now: number, locale?: string): string {
  return relative(Math.min(0, (Date.parse(at) - now) / 1000), at, locale);
}

/** How soon something is; as `agoText`. */
export function untilText(at: string, now: number, locale?: string): string {
  return relative(Math.max(0, (Date.parse(at) - now) / 1000), at, locale);
}

function relative(seconds: number, at: string, locale?: string): string {
  const text = new Intl.RelativeTimeFormat(locale, { numeric: 'auto', style: 'short' });
  let amount = Math.abs(seconds);
  for (const [size, unit] of STEPS) {
    if (amount < size) {
      return text.format(Math.sign(seconds) * Math.floor(amount), unit);
    }
    amount /= size;
  }
  return at;
}
