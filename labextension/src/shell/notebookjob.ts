import { Notification } from '@jupyterlab/apputils';
import { PathExt } from '@jupyterlab/coreutils';
import type { IDocumentManager } from '@jupyterlab/docmanager';
import type { FileBrowser } from '@jupyterlab/filebrowser';
import type { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import { ApiError, type Api } from '../api';
import { addCommand, describe, type ICommandHome } from '../commands';
import { coflowsIcon } from '../icons';
import { hereZone } from '../schedule/editor';
import { askJob } from '../schedule/job';
import type { IFieldError, INotebookJob } from '../rest';
import { CommandIDs, type ICoflows } from '../tokens';

const SHOW = 'coflows:show-agents';

export interface INotebookOptions extends ICommandHome {
  api: Api;
  browser: () => FileBrowser | null;
  coflows: ICoflows;
  documents: IDocumentManager;
  rendermime: IRenderMimeRegistry;
}

/** Add what lets a notebook run on its own, and shows what became of it. */
export function addNotebookJobs(options: INotebookOptions): void {
  const { api, app, browser, coflows, documents, trans } = options;
  const workflow = () => coflows.model.workflow?.id ?? '';
  addCommand(
    options,
    CommandIDs.scheduleNotebook,
    {
      label: trans.__('Schedule Notebook…'),
      caption: trans.__('Let the notebook run on its own, with parameters'),
      icon: coflowsIcon,
      describedBy: describe({
        path: trans.__('The notebook below the Lab root; the selected one by default'),
        agent: trans.__('ID of the Agent whose schedule is changed; a new one by default')
      }),
      execute: async args => {
        const selected = Array.from(browser()?.selectedItems() ?? []).at(0)?.path ?? '';
        const path =
          typeof args.path === 'string'
            ? args.path
            : app.serviceManager.contents.localPath(selected);
        await schedule(options, path, typeof args.agent === 'string' ? args.agent : null);
      }
    },
    { palette: false }
  );
  addCommand(
    options,
    CommandIDs.unscheduleNotebook,
    {
      label: trans.__('Remove the schedule of the notebook'),
      describedBy: describe({ path: trans.__('The notebook'), agent: trans.__("The Agent's ID") }),
      execute: async args => {
        await api.unscheduleNotebook(workflow(), args.path as string, args.agent as string);
        await coflows.model.build();
      }
    },
    { palette: false }
  );
  addCommand(
    options,
    CommandIDs.openAgentNotebook,
    {
      label: trans.__('Open the executed copy of the notebook'),
      describedBy: describe({ run: trans.__("The run's ID") }, ['run']),
      execute: async args => {
        const path = await api.agentNotebook(workflow(), args.run as string);
        if (!path || !documents.openOrReveal(path)) {
          throw new Error(trans.__("Lab can't open the copy: it is outside of what Lab shows."));
        }
      }
    },
    { palette: false }
  );
}

async function schedule(
  options: INotebookOptions,
  path: string,
  agent: string | null
): Promise<void> {
  const { api, app, coflows, rendermime, trans } = options;
  const { model } = coflows;
  if (!model.workflow) {
    await model.refresh();
  }
  const id = model.workflow?.id ?? '';
  const services = { ...coflows, commands: app.commands, rendermime, trans };
  const { parameters, jobs } = await api.notebookJobs(id, path);
  const zone = hereZone();
  let job: INotebookJob | null = jobs.find(known => known.id === agent) ?? {
    id: PathExt.basename(path, '.ipynb'),
    schedule: `0 0 9 ? * MON-FRI${zone && ` @ ${zone}`}`,
    parameters: {}
  };
  const title = trans.__('Schedule %1', PathExt.basename(path));
  for (let refused: readonly IFieldError[] = []; ;) {
    job = await askJob(services, title, { job, parameters, fresh: agent === null, refused });
    if (!job) {
      return;
    }
    try {
      await api.scheduleNotebook(id, path, job);
      break;
    } catch (error) {
      if (!(error instanceof ApiError) || !error.problem.errors?.length) {
        throw error;
      }
      refused = error.problem.errors;
    }
  }
  await model.build();
  const name = job.id;
  Notification.success(trans.__('%1 runs on its own', name), {
    autoClose: 8000,
    actions: [
      {
        label: trans.__('Show'),
        callback: () => {
          void app.commands.execute(SHOW).then(() => coflows.agents.select(name));
        }
      }
    ]
  });
}
