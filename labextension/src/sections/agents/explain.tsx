import { Dialog, ReactWidget, showDialog } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';
import type { IAgentRun } from '../../rest';
import { Sentences } from './forms';
import type { AgentsModel } from './model';

/** Say in a dialog what became of an Agent when a run of it was due. */
export async function explainRun(
  agents: AgentsModel,
  run: IAgentRun,
  trans: TranslationBundle
): Promise<void> {
  const sentences = await agents.explain(run.agent_id, run.fire_at);
  const body = ReactWidget.create(<Sentences items={sentences} />);
  body.addClass('jp-Coflows');
  await showDialog({
    title: trans.__('%1 at %2', run.agent_id, new Date(run.fire_at).toLocaleString()),
    body,
    buttons: [Dialog.okButton({ label: trans.__('Close') })]
  });
}
