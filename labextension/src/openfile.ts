import type { IDocumentManager } from '@jupyterlab/docmanager';
import type { JupyterFrontEnd } from '@jupyterlab/application';
import type { IDocumentWidget } from '@jupyterlab/docregistry';
import type { FileEditor } from '@jupyterlab/fileeditor';
import { PathExt } from '@jupyterlab/coreutils';

/**
 * Open a text file with the cursor at a place.
 *
 * @param path - path below the Lab root.
 * @param line - 1-based; 0 leaves the cursor where it is.
 * @param column - 1-based; 0 means the start of the line.
 */
export async function openAt(
  manager: IDocumentManager,
  path: string,
  line: number,
  column = 0
): Promise<void> {
  const widget = manager.openOrReveal(path, 'Editor') as IDocumentWidget<FileEditor> | undefined;
  if (!widget) {
    throw new Error(`Lab can't open ${path}.`);
  }
  await widget.context.ready;
  await widget.content.ready;
  const { editor } = widget.content;
  if (line > 0) {
    // An unsaved editor may be shorter than the file that the place is about.
    const last = Math.max(0, editor.lineCount - 1);
    const position = { line: Math.min(line - 1, last), column: Math.max(0, column - 1) };
    editor.setCursorPosition(position);
    editor.revealPosition(position);
  }
  editor.focus();
}

/**
 * Save the open text files below a folder that have unsaved changes. Notebooks are no part of a Build.
 *
 * @param folder - path below the Lab root, '' for the root itself.
 */
export async function saveBelow(
  shell: JupyterFrontEnd.IShell,
  manager: IDocumentManager,
  folder: string
): Promise<void> {
  const inside = (path: string) => folder === '' || path.startsWith(`${folder}/`);
  const contexts = Array.from(shell.widgets('main'), widget => manager.contextForWidget(widget));
  const dirty = contexts.filter(
    context =>
      context?.model.dirty &&
      !context.model.readOnly &&
      PathExt.extname(context.path) !== '.ipynb' &&
      inside(context.path)
  );
  await Promise.all([...new Set(dirty)].map(async context => context?.save()));
}
