import { lintGutter, setDiagnostics } from '@codemirror/lint';
import { Compartment, type Extension } from '@codemirror/state';
import { EditorView } from '@codemirror/view';
import type { CodeMirrorEditor } from '@jupyterlab/codemirror';
import type { DocumentRegistry, IDocumentWidget } from '@jupyterlab/docregistry';
import type { FileEditor } from '@jupyterlab/fileeditor';
import { Debouncer } from '@lumino/polling';
import type { Api } from '../api';
import type { CoflowsModel } from '../sections/workflow/model';
import type { IDiagnostic } from '../rest';
import type { IEditorSettings } from './settings';
import { merge, toSquiggles } from './squiggle';

const TYPING_PAUSE = 300;

/** Whether a path is one of the two files that the server can check before they are saved. */
export function isOwnFile(model: CoflowsModel, path: string): boolean {
  const { config_path, package_path } = model.workflow ?? {};
  return path === config_path || path === package_path;
}

/** Keeps the squiggles of one editor: those of the last Build, and for our own files those of what is typed. */
export class Linter {
  constructor(
    private _api: Api,
    private _model: CoflowsModel,
    private _settings: IEditorSettings,
    widget: IDocumentWidget<FileEditor>,
    onTyped: (view: EditorView) => void
  ) {
    this._context = widget.context;
    const editor = widget.content.editor as CodeMirrorEditor;
    this._view = editor.editor;
    editor.injectExtension([
      this._gutter.of([]),
      EditorView.updateListener.of(update => {
        if (update.transactions.some(transaction => transaction.isUserEvent('input.type'))) {
          onTyped(update.view);
        }
        if (update.docChanged && isOwnFile(_model, this._context.localPath)) {
          void this._typed.invoke();
        }
      })
    ]);
    _model.changed.connect(this._update, this);
    _settings.changed.connect(this._update, this);
    widget.disposed.connect(() => {
      this._typed.dispose();
      _model.changed.disconnect(this._update, this);
      _settings.changed.disconnect(this._update, this);
    });
    this._update();
  }

  private _update(): void {
    const found = this._found();
    const state = JSON.stringify([found, this._own, this._settings.squiggles]);
    if (state !== this._state) {
      this._state = state;
      void this._show(found);
    }
  }

  /** What the last Build says about this file. */
  private _found(): IDiagnostic[] {
    const { localPath: path } = this._context;
    return (this._model.workflow?.diagnostics ?? []).filter(item => item.path === path);
  }

  private get _own(): boolean {
    return isOwnFile(this._model, this._context.localPath);
  }

  private async _show(found: IDiagnostic[]): Promise<void> {
    const { squiggles } = this._settings;
    const text = this._view.state.doc;
    const items = !squiggles ? [] : this._own ? await this._validate(found) : found;
    if (text !== this._view.state.doc && this._own) {
      return; // Typing went on, and brings the next answer.
    }
    const visible = squiggles && (this._own || items.length > 0 || this._marked);
    const gutter: Extension = visible ? lintGutter() : [];
    if (visible !== this._marked) {
      this._marked = visible;
      this._view.dispatch({ effects: this._gutter.reconfigure(gutter) });
    }
    this._view.dispatch(setDiagnostics(this._view.state, toSquiggles(this._view.state.doc, items)));
  }

  private async _validate(found: IDiagnostic[]): Promise<IDiagnostic[]> {
    const id = this._model.workflow?.id ?? '';
    const { localPath: path, model } = this._context;
    try {
      const typed = await this._api.validate(id, path, this._view.state.doc.toString());
      return model.dirty ? typed : merge(typed, found);
    } catch {
      // The panel and the status bar say that the server is away; what the Build said still holds.
      return found;
    }
  }

  private _context: DocumentRegistry.Context;
  private _gutter = new Compartment();
  private _marked = false;
  private _state = '';
  private _typed = new Debouncer(() => this._show(this._found()), TYPING_PAUSE);
  private _view: EditorView;
}
