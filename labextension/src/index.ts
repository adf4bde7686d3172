import {
  ILayoutRestorer,
  type JupyterFrontEnd,
  type JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { IDocumentManager } from '@jupyterlab/docmanager';
import { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import { Api } from './api';
import { addCommand, addOpenAt } from './commands';
import { CoflowsPanel } from './components/panel';
import { Connection } from './connection';
import { editor } from './editor/plugin';
import { AgentsModel } from './sections/agents/model';
import { MSetsModel } from './sections/msets/model';
import { PeopleModel } from './sections/people/model';
import { CallsModel } from './sections/queries/model';
import { SECTIONS } from './sections/registry';
import { RunsModel } from './sections/runs/model';
import { CoflowsModel } from './sections/workflow/model';
import { authoring, status } from './shell/plugin';
import { DOMAIN, ICoflows, PANEL_ID } from './tokens';

const model: JupyterFrontEndPlugin<ICoflows> = {
  id: 'coflows-jupyter:model',
  description: 'Follows the Workflows of the server and calls their functions.',
  autoStart: true,
  provides: ICoflows,
  activate: (app: JupyterFrontEnd): ICoflows => {
    const api = new Api(app.serviceManager.serverSettings);
    const connection = new Connection(api);
    const model = new CoflowsModel(api, connection);
    return {
      model,
      calls: new CallsModel(api, model),
      runs: new RunsModel(api, model, connection),
      people: new PeopleModel(api, model, connection),
      agents: new AgentsModel(api, model, connection),
      msets: new MSetsModel(api, model, connection)
    };
  }
};

const commands: JupyterFrontEndPlugin<void> = {
  id: 'coflows-jupyter:commands',
  description: 'Builds the Workflow, runs its functions, opens its sources.',
  autoStart: true,
  requires: [ICoflows, IDocumentManager, IRenderMimeRegistry],
  optional: [ICommandPalette, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    coflows: ICoflows,
    documents: IDocumentManager,
    rendermime: IRenderMimeRegistry,
    palette: ICommandPalette | null,
    translator: ITranslator | null
  ): void => {
    const trans = (translator ?? nullTranslator).load(DOMAIN);
    const options = { app, coflows, documents, palette, rendermime, trans };
    addOpenAt(options);
    for (const section of SECTIONS) {
      section.addCommands(options);
    }
  }
};

const sidebar: JupyterFrontEndPlugin<void> = {
  id: 'coflows-jupyter:sidebar',
  description: 'Shows the Workflow with what belongs to it, a section each.',
  autoStart: true,
  requires: [ICoflows, IRenderMimeRegistry],
  optional: [ICommandPalette, ILayoutRestorer, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    coflows: ICoflows,
    rendermime: IRenderMimeRegistry,
    palette: ICommandPalette | null,
    restorer: ILayoutRestorer | null,
    translator: ITranslator | null
  ): void => {
    const language = translator ?? nullTranslator;
    const trans = language.load(DOMAIN);
    const services = { ...coflows, commands: app.commands, rendermime, trans };
    const panel = new CoflowsPanel(services, language);
    app.shell.add(panel, 'left', { rank: 450, type: 'CoFlows' });
    restorer?.add(panel, panel.id);
    for (const { id, title } of SECTIONS) {
      addCommand({ app, palette, trans }, `coflows:show-${id}`, {
        label: trans.__('Show %1', title(trans)),
        execute: () => {
          app.shell.activateById(PANEL_ID);
          panel.reveal(id);
        }
      });
    }
  }
};

export default [model, commands, sidebar, editor, authoring, status];
