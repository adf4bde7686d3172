import { Notification } from '@jupyterlab/apputils';
import { PathExt } from '@jupyterlab/coreutils';
import type { IDocumentManager } from '@jupyterlab/docmanager';
import type { FileBrowser } from '@jupyterlab/filebrowser';
import { pythonIcon } from '@jupyterlab/ui-components';
import type { Api } from '../api';
import { addCommand, describe, type ICommandHome } from '../commands';
import { coflowsIcon } from '../icons';
import { notifyBuild } from '../notify';
import { openAt } from '../openfile';
import type { SourceList } from '../rest';
import { CommandIDs, PANEL_ID, type ICoflows } from '../tokens';
import { askAndDo } from './dialog';

export interface IAuthoringOptions extends ICommandHome {
  api: Api;
  browser: () => FileBrowser | null;
  coflows: ICoflows;
  documents: IDocumentManager;
}

/** Add the commands that make Workflows and sources. */
export function addAuthoring(options: IAuthoringOptions): void {
  addNewSource(options, CommandIDs.newQuery, 'Queries');
  addNewSource(options, CommandIDs.newBase, 'Base');
  addNewWorkflow(options);
  addListed(options, CommandIDs.addAsQuery, 'Queries');
  addListed(options, CommandIDs.addAsBase, 'Base');
}

function addNewSource(options: IAuthoringOptions, id: string, list: SourceList): void {
  const { api, documents, trans } = options;
  const isQuery = list === 'Queries';
  const label = isQuery ? trans.__('New Query') : trans.__('New Base Library');
  addCommand(options, id, {
    label,
    caption: isQuery
      ? trans.__('Write functions that are Web APIs')
      : trans.__('Write functions that Queries import'),
    icon: isQuery ? coflowsIcon : pythonIcon,
    execute: async () => {
      const workflow = await workflowOf(options);
      const field = {
        name: 'name',
        label: trans.__('Name'),
        value: isQuery ? 'my_query' : 'my_library',
        hint: trans.__('Letters, digits and _; the file is %1', `${list}/NAME.py`)
      };
      const make = ({ name }: Record<string, string>) => api.addSource(workflow, { list, name });
      const made = await askAndDo(label, trans.__('Create'), [field], make, trans);
      if (made?.path) {
        await build(options);
        await openAt(documents, made.path, 1);
      }
    }
  });
}

function addListed(options: IAuthoringOptions, id: string, list: SourceList): void {
  const { api, app, browser, trans } = options;
  addCommand(
    options,
    id,
    {
      label: list === 'Queries' ? trans.__('Add as Query') : trans.__('Add as Base'),
      caption: trans.__('List the selected files in package.json and build'),
      icon: coflowsIcon,
      execute: async () => {
        const workflow = await workflowOf(options);
        for (const { path } of browser()?.selectedItems() ?? []) {
          const local = app.serviceManager.contents.localPath(path);
          const { id } = await api.addSource(workflow, { list, path: local });
          Notification.success(trans.__('%1 is in %2', id, list), { autoClose: 3000 });
        }
        await build(options);
      }
    },
    { palette: false }
  );
}

function addNewWorkflow(options: IAuthoringOptions): void {
  const { api, browser, trans } = options;
  addCommand(options, CommandIDs.newWorkflow, {
    label: trans.__('New Workflow'),
    caption: trans.__('Make a folder with a Workflow that runs as it is'),
    icon: coflowsIcon,
    describedBy: describe({ cwd: trans.__('Where, below the Lab root') }),
    execute: async args => {
      const cwd = typeof args.cwd === 'string' ? args.cwd : '';
      const fields = [
        {
          name: 'folder',
          label: trans.__('Folder'),
          value: PathExt.join(cwd, 'my-workflow'),
          hint: trans.__('Below the folder that Lab shows')
        },
        {
          name: 'name',
          label: trans.__('Name'),
          value: '',
          hint: trans.__("The folder's name if left empty")
        }
      ];
      const title = trans.__('New Workflow');
      const make = ({ folder, name }: Record<string, string>) => api.newWorkflow(folder, name);
      const made = await askAndDo(title, trans.__('Create'), fields, make, trans);
      if (made) {
        await browser()?.model.cd(`/${made.path}`);
        const command = `coflows server ${made.path}/coflows_config.json`;
        Notification.success(trans.__('Made. A terminal serves it by: %1', command), {
          autoClose: false
        });
      }
    }
  });
}

/** The ID of the Workflow that is shown. */
async function workflowOf({ coflows: { model }, trans }: IAuthoringOptions): Promise<string> {
  if (!model.workflow) {
    await model.refresh();
  }
  if (!model.workflow) {
    throw new Error(trans.__('This server has no Workflow open.'));
  }
  return model.workflow.id;
}

/** Build, and tell only what went wrong: that a source was added is said elsewhere. */
async function build({ app, coflows: { model }, trans }: IAuthoringOptions): Promise<void> {
  const report = await model.build();
  if (!report.ok && !model.active) {
    notifyBuild(report, trans, () => {
      app.shell.activateById(PANEL_ID);
    });
  }
}
