import type { TranslationBundle } from '@jupyterlab/translation';
import { agoText } from '../../format';
import type { IKey, IMe, Level } from '../../rest';

/** Levels that somebody can be given, the highest first. */
export const LEVELS: readonly Level[] = [2, 1, 0, -1];

/** How levels are called. */
export function levelLabel(level: Level, trans: TranslationBundle): string {
  const labels: Record<Level, string> = {
    [-2]: trans.__('invited'),
    [-1]: trans.__('denied'),
    0: trans.__('view'),
    1: trans.__('read'),
    2: trans.__('write')
  };
  return labels[level];
}

/** How the server recognised somebody. */
export function sourceText(source: IMe['source'], trans: TranslationBundle): string {
  const texts: Record<IMe['source'], string> = {
    key: trans.__('by a key'),
    lab: trans.__('by the log-in of this Lab'),
    session: trans.__('by a password'),
    local: trans.__('as the person at this computer'),
    anonymous: trans.__('not logged in')
  };
  return texts[source];
}

/** The day on which something ends, which is where it begins in UTC. */
export function endText(expires: string, now: number, trans: TranslationBundle): string {
  if (expires === '') {
    return trans.__('no end');
  }
  const day = expires.slice(0, 10);
  return Date.parse(expires) > now ? trans.__('until %1', day) : trans.__('ended on %1', day);
}

/** When a key was made, used, and when it ends. */
export function keyText(key: IKey, now: number, trans: TranslationBundle): string {
  return [
    key.last_used
      ? trans.__('used %1', agoText(key.last_used, now))
      : trans.__('made %1, never used', agoText(key.created, now)),
    endText(key.expires, now, trans)
  ].join(' · ');
}
