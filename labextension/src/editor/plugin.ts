import type { EditorView } from '@codemirror/view';
import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICompletionProviderManager } from '@jupyterlab/completer';
import { IDocumentManager } from '@jupyterlab/docmanager';
import type { IDocumentWidget } from '@jupyterlab/docregistry';
import { IEditorTracker, type FileEditor } from '@jupyterlab/fileeditor';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { Api } from '../api';
import { notifyFailure } from '../notify';
import { ICoflows } from '../tokens';
import { SchemaProvider } from './completer';
import { openAsText } from './filetype';
import { isOwnFile, Linter } from './lint';
import { EditorSettings } from './settings';

const ID = 'coflows-jupyter:editor';
const INVOKE_COMPLETER = 'completer:invoke-file';

/** Squiggles and completion in Lab's text editor. */
export const editor: JupyterFrontEndPlugin<void> = {
  id: ID,
  description: 'Shows findings in the editor and completes the files that describe a Workflow.',
  autoStart: true,
  requires: [ICoflows, IDocumentManager, IEditorTracker],
  optional: [ICompletionProviderManager, ISettingRegistry],
  activate: (
    app: JupyterFrontEnd,
    { model }: ICoflows,
    documents: IDocumentManager,
    tracker: IEditorTracker,
    completer: ICompletionProviderManager | null,
    registry: ISettingRegistry | null
  ): void => {
    const api = new Api(app.serviceManager.serverSettings);
    const settings = new EditorSettings();
    if (registry) {
      settings.load(registry, ID).catch(notifyFailure);
      openAsText(app, registry).catch(notifyFailure);
    }
    completer?.registerProvider(new SchemaProvider(api, model, documents));

    const attach = async (widget: IDocumentWidget<FileEditor>) => {
      await widget.context.ready;
      await widget.content.ready;
      if (widget.isDisposed) {
        return;
      }
      model.follow(widget);
      new Linter(api, model, settings, widget, view => {
        const { localPath } = widget.context;
        if (settings.suggest && startsText(view) && isOwnFile(model, localPath)) {
          void app.commands.execute(INVOKE_COMPLETER);
        }
      });
    };
    tracker.forEach(widget => void attach(widget));
    tracker.widgetAdded.connect((_, widget) => void attach(widget));
  }
};

/** Whether a quote was typed last. */
function startsText(view: EditorView): boolean {
  const { head } = view.state.selection.main;
  return view.state.sliceDoc(head - 1, head) === '"';
}
