import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { IDocumentManager } from '@jupyterlab/docmanager';
import { IFileBrowserFactory } from '@jupyterlab/filebrowser';
import { IEditorTracker } from '@jupyterlab/fileeditor';
import { ILauncher } from '@jupyterlab/launcher';
import { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { IStatusBar } from '@jupyterlab/statusbar';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import { Api } from '../api';
import { notifyFailure } from '../notify';
import { CommandIDs, DOMAIN, ICoflows, PANEL_ID } from '../tokens';
import { addAuthoring } from './authoring';
import { addNotebookJobs } from './notebookjob';
import { StatusItem } from './status';
import { addRunUnderCursor } from './undercursor';

const STATUS = 'coflows-jupyter:status';

/** Commands that make files, with their cards in the launcher. */
export const authoring: JupyterFrontEndPlugin<void> = {
  id: 'coflows-jupyter:authoring',
  description: 'Makes Workflows, Queries and Base libraries; runs the function at the cursor.',
  autoStart: true,
  requires: [ICoflows, IDocumentManager, IRenderMimeRegistry],
  optional: [ICommandPalette, IEditorTracker, IFileBrowserFactory, ILauncher, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    coflows: ICoflows,
    documents: IDocumentManager,
    rendermime: IRenderMimeRegistry,
    palette: ICommandPalette | null,
    editors: IEditorTracker | null,
    browsers: IFileBrowserFactory | null,
    launcher: ILauncher | null,
    translator: ITranslator | null
  ): void => {
    const trans = (translator ?? nullTranslator).load(DOMAIN);
    const home = { app, palette, trans };
    const api = new Api(app.serviceManager.serverSettings);
    const browser = () => browsers?.tracker.currentWidget ?? null;
    addAuthoring({ ...home, api, browser, coflows, documents });
    addNotebookJobs({ ...home, api, browser, coflows, documents, rendermime });
    if (editors) {
      addRunUnderCursor(home, coflows, editors);
    }
    for (const [rank, command] of [CommandIDs.newQuery, CommandIDs.newWorkflow].entries()) {
      launcher?.add({ command, category: trans.__('CoFlows'), rank });
    }
  }
};

/** The item in the status bar. */
export const status: JupyterFrontEndPlugin<void> = {
  id: STATUS,
  description: 'Shows the state of the Workflow in the status bar.',
  autoStart: true,
  requires: [ICoflows, IStatusBar],
  optional: [ISettingRegistry, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    { model }: ICoflows,
    bar: IStatusBar,
    registry: ISettingRegistry | null,
    translator: ITranslator | null
  ): void => {
    const trans = (translator ?? nullTranslator).load(DOMAIN);
    let item: StatusItem | null = null;
    const show = (wanted: boolean) => {
      if (wanted && !item) {
        item = new StatusItem(model, trans, () => {
          app.shell.activateById(PANEL_ID);
        });
        bar.registerStatusItem(STATUS, { item, align: 'left', rank: 4 });
        model.follow(item);
      } else if (!wanted) {
        item?.dispose();
        item = null;
      }
    };
    const follow = async (settings: ISettingRegistry) => {
      const plugin = await settings.load(STATUS);
      const read = () => {
        show(plugin.get('visible').composite === true);
      };
      plugin.changed.connect(read);
      read();
    };
    if (registry) {
      follow(registry).catch(notifyFailure);
    } else {
      show(true);
    }
  }
};
