import type { Api } from './api';
import type { IServerEvent } from './events';
import type { IProgress, IRun } from './rest';

/** What a run has told so far. */
export interface IActivity {
  readonly progress: IProgress | null;
  /** What it printed and logged: the last of it, as far as it fits on a page. */
  readonly log: string;
}

export const NOTHING_YET: IActivity = { progress: null, log: '' };

const LOG_LIMIT = 64 * 1024;
const TRIES = 5;
const PAUSE = 500;
/** Seconds after which the speed of a run says something. */
const SETTLED = 2;

/**
 * Follow a run to its end.
 *
 * A connection that breaks is made again: the run goes on without it, and its events start anew.
 *
 * @param tell - called whenever the run tells something.
 * @returns the run at its end.
 */
export async function followRun(
  api: Api,
  id: string,
  signal: AbortSignal,
  tell: (activity: IActivity) => void
): Promise<IRun> {
  for (let left = TRIES; ; left -= 1) {
    let activity = NOTHING_YET;
    try {
      for await (const event of api.runEvents(id, signal)) {
        if (event.kind === 'end') {
          return event.data as IRun;
        }
        activity = after(activity, event);
        tell(activity);
      }
    } catch (error) {
      if (signal.aborted || left <= 1) {
        throw error;
      }
    }
    if (left <= 1) {
      throw new Error('The server stopped telling about the run.');
    }
    await new Promise(resolve => setTimeout(resolve, PAUSE));
  }
}

/** What is known after one more event. */
export function after(activity: IActivity, { kind, data }: IServerEvent): IActivity {
  switch (kind) {
    case 'progress':
      return { ...activity, progress: data as IProgress };
    case 'log':
      return {
        ...activity,
        log: (activity.log + (data as { text: string }).text).slice(-LOG_LIMIT)
      };
    default:
      return activity;
  }
}

/** The part that is done, 0 to 1; null when nobody knows. */
export function fraction(progress: IProgress | null): number | null {
  return progress && progress.total > 0
    ? Math.min(1, Math.max(0, progress.done / progress.total))
    : null;
}

/** Seconds that a run needs until its end if it goes on as before; null when nobody can tell yet. */
export function secondsLeft(progress: IProgress | null, elapsed: number): number | null {
  const part = fraction(progress);
  return part === null || part === 0 || elapsed < SETTLED ? null : (elapsed * (1 - part)) / part;
}
