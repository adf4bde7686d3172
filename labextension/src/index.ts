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
import { CallsModel } from './calls';
import { addCommands } from './commands';
import { CoflowsPanel } from './components/panel';
import { Connection } from './connection';
import { editor } from './editor/plugin';
import { CoflowsModel } from './model';
import { ICoflows } from './tokens';

const DOMAIN = 'coflows_jupyter';

const model: JupyterFrontEndPlugin<ICoflows> = {
  id: 'coflows-jupyter:model',
  description: 'Follows the Workflows of the server and calls their functions.',
  autoStart: true,
  provides: ICoflows,
  activate: (app: JupyterFrontEnd): ICoflows => {
    const api = new Api(app.serviceManager.serverSettings);
    const model = new CoflowsModel(api, new Connection(api));
    return { model, calls: new CallsModel(api, model) };
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
    addCommands({ app, coflows, documents, palette, rendermime, trans });
  }
};

const sidebar: JupyterFrontEndPlugin<void> = {
  id: 'coflows-jupyter:sidebar',
  description: 'Shows the Workflow and its Queries.',
  autoStart: true,
  requires: [ICoflows, IRenderMimeRegistry],
  optional: [ILayoutRestorer, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    coflows: ICoflows,
    rendermime: IRenderMimeRegistry,
    restorer: ILayoutRestorer | null,
    translator: ITranslator | null
  ): void => {
    const language = translator ?? nullTranslator;
    const trans = language.load(DOMAIN);
    const services = { ...coflows, commands: app.commands, rendermime, trans };
    const panel = new CoflowsPanel(services, language);
    app.shell.add(panel, 'left', { rank: 450, type: 'CoFlows' });
    restorer?.add(panel, panel.id);
  }
};

export default [model, commands, sidebar, editor];
