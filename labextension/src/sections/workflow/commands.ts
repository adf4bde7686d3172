import { buildIcon, copyIcon, launchIcon, refreshIcon } from '@jupyterlab/ui-components';
import { Clipboard } from '@jupyterlab/apputils';
import { addCommand, describe, type ICommandsOptions } from '../../commands';
import { coflowsIcon } from '../../icons';
import { notifyBuild, notifyCopied } from '../../notify';
import { saveBelow } from '../../openfile';
import { CommandIDs, PANEL_ID } from '../../tokens';

/** Build, refresh, choose a Workflow, and the pages of its API. */
export function addWorkflowCommands(options: ICommandsOptions): void {
  const { app, coflows, documents, trans } = options;
  const { model } = coflows;
  const showPanel = () => app.shell.activateById(PANEL_ID);

  addCommand(options, CommandIDs.openPanel, {
    label: trans.__('Show CoFlows'),
    caption: trans.__('Show the Workflow and its Queries'),
    icon: coflowsIcon,
    execute: showPanel
  });
  addCommand(options, CommandIDs.refresh, {
    label: trans.__('Refresh'),
    caption: trans.__('Ask the server for the state of the Workflow'),
    icon: refreshIcon,
    execute: () => model.refresh()
  });
  addCommand(options, CommandIDs.build, {
    label: trans.__('Build the Workflow'),
    caption: trans.__('Save the open files of the Workflow and build it'),
    icon: buildIcon,
    isEnabled: () => !model.building,
    execute: async () => {
      if (!model.workflow) {
        await model.refresh();
      }
      const folder = model.workflow?.path;
      if (folder !== null && folder !== undefined) {
        await saveBelow(app.shell, documents, folder);
      }
      const report = await model.build();
      if (!model.active) {
        notifyBuild(report, trans, showPanel);
      }
      return report;
    }
  });
  addCommand(
    options,
    CommandIDs.selectWorkflow,
    {
      label: trans.__('Select a Workflow'),
      describedBy: describe({ workflow: trans.__("The Workflow's ID") }, ['workflow']),
      execute: args => model.select(args.workflow as string)
    },
    { palette: false }
  );
  addApiCommands(options);
  const { build, openApiPage, copyOpenApi } = CommandIDs;
  model.changed.connect(() => {
    for (const id of [build, openApiPage, copyOpenApi]) {
      app.commands.notifyCommandChanged(id);
    }
  });
}

function addApiCommands(options: ICommandsOptions): void {
  const { model } = options.coflows;
  const { trans } = options;
  addCommand(options, CommandIDs.openApiPage, {
    label: trans.__('Open the API page'),
    caption: trans.__('Try the functions of the Workflow in a page of its own'),
    icon: launchIcon,
    isEnabled: () => model.workflow !== null,
    execute: () => {
      window.open(model.apiPage, '_blank', 'noopener');
    }
  });
  addCommand(options, CommandIDs.copyOpenApi, {
    label: trans.__('Copy the OpenAPI URL'),
    caption: trans.__('For tools that make clients, forms or tests of the API'),
    icon: copyIcon,
    isEnabled: () => model.workflow !== null,
    execute: () => {
      Clipboard.copyToSystem(model.openApi);
      notifyCopied(trans.__('URL'), trans);
    }
  });
}
