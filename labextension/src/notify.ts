import { Notification } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import { errorText } from './api';
import { durationText } from './format';
import type { IBuildReport } from './rest';

const SHORT = 3000;

/**
 * Tell how a Build ended.
 *
 * @param show - opens the panel, where the findings are.
 */
export function notifyBuild(
  report: IBuildReport,
  trans: TranslationBundle,
  show: () => void
): void {
  if (report.ok) {
    Notification.success(trans.__('Built in %1', durationText(report.seconds)), {
      autoClose: SHORT
    });
    return;
  }
  const errors = report.diagnostics.filter(({ severity }) => severity === 'error').length;
  Notification.error(trans._n('The Build has %1 error', 'The Build has %1 errors', errors), {
    actions: [{ label: trans.__('Show'), callback: show }]
  });
}

export function notifyCopied(what: string, trans: TranslationBundle): void {
  Notification.info(trans.__('Copied as %1', what), { autoClose: SHORT });
}

export function notifyDone(what: string): void {
  Notification.success(what, { autoClose: SHORT });
}

export function notifyFailure(error: unknown): void {
  Notification.error(errorText(error));
}
