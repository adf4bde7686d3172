import type { TranslationBundle } from '@jupyterlab/translation';
import type { AgentMode, AgentRunState, IAgentRun } from '../../rest';

export function modeLabels(trans: TranslationBundle): Record<AgentMode, string> {
  return {
    started: trans.__('Started'),
    paused: trans.__('Paused'),
    stopped: trans.__('Stopped')
  };
}

/** What became of runs. */
export function stateLabels(trans: TranslationBundle): Record<AgentRunState, string> {
  return {
    due: trans.__('waits'),
    running: trans.__('running'),
    succeeded: trans.__('succeeded'),
    failed: trans.__('failed'),
    timed_out: trans.__('timed out'),
    cancelled: trans.__('cancelled'),
    lost: trans.__('lost'),
    skipped: trans.__('skipped')
  };
}

/** Why there are runs. */
export function causeLabels(trans: TranslationBundle): Record<IAgentRun['cause'], string> {
  return {
    schedule: trans.__('schedule'),
    catchup: trans.__('missed before'),
    set: trans.__('M set'),
    message: trans.__('message'),
    manual: trans.__('run now'),
    backfill: trans.__('backfill')
  };
}
