import { ReactWidget, UseSignal } from '@jupyterlab/ui-components';
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';
import { coflowsIcon } from '../icons';
import type { CoflowsModel } from '../sections/workflow/model';

/** What the status bar says, and whether it is bad news; null when the server has no CoFlows. */
export function statusOf(
  {
    availability,
    building,
    workflow
  }: Pick<CoflowsModel, 'availability' | 'building' | 'workflow'>,
  trans: TranslationBundle
): { text: string; bad: boolean } | null {
  if (availability === 'absent' || availability === 'connecting') {
    return null;
  }
  if (availability !== 'ready') {
    return { text: trans.__('not connected'), bad: true };
  }
  if (!workflow) {
    return { text: trans.__('no Workflow'), bad: false };
  }
  if (building) {
    return { text: trans.__('building'), bad: false };
  }
  const errors = workflow.diagnostics.filter(({ severity }) => severity === 'error').length;
  if (errors > 0) {
    return { text: trans._n('%1 error', '%1 errors', errors), bad: true };
  }
  return { text: workflow.state, bad: workflow.state === 'failed' };
}

/** The state of the Workflow in the status bar; a click shows the sidebar. */
export class StatusItem extends ReactWidget {
  constructor(
    private _model: CoflowsModel,
    private _trans: TranslationBundle,
    private _show: () => void
  ) {
    super();
    this.addClass('jp-Coflows-status');
  }

  protected render(): React.JSX.Element {
    return <UseSignal signal={this._model.changed}>{() => this._item()}</UseSignal>;
  }

  private _item(): React.JSX.Element | null {
    const status = statusOf(this._model, this._trans);
    if (!status) {
      return null;
    }
    const name = this._model.workflow?.name ?? '';
    return (
      <button
        type="button"
        className="jp-Coflows-statusButton"
        data-bad={status.bad}
        title={this._trans.__('CoFlows %1: show the sidebar', name)}
        onClick={this._show}
      >
        <coflowsIcon.react tag="span" width="14px" height="14px" />
        {this._trans.__('CoFlows: %1', status.text)}
      </button>
    );
  }
}
