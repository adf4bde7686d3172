import type { TranslationBundle } from '@jupyterlab/translation';
import type { RunOutcome } from '../../rest';

/** How outcomes are called. */
export function outcomeLabels(trans: TranslationBundle): Record<RunOutcome, string> {
  return {
    running: trans.__('running'),
    succeeded: trans.__('succeeded'),
    failed: trans.__('failed'),
    timed_out: trans.__('timed out'),
    cancelled: trans.__('cancelled'),
    crashed: trans.__('crashed'),
    denied: trans.__('denied'),
    refused: trans.__('refused'),
    lost: trans.__('lost')
  };
}
