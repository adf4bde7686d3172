import type { IEditorTracker } from '@jupyterlab/fileeditor';
import { runIcon } from '@jupyterlab/ui-components';
import { addCommand, type ICommandHome } from '../commands';
import { argumentsOf } from '../schema';
import type { IBuildReport } from '../rest';
import { CommandIDs, PANEL_ID, type ICoflows } from '../tokens';
import { functionAt } from './functionat';

/** Add the command that runs the function at the cursor of the text editor. */
export function addRunUnderCursor(
  home: ICommandHome,
  { calls, model }: ICoflows,
  tracker: IEditorTracker
): void {
  const { app, trans } = home;
  const isOpen = () => tracker.currentWidget !== null;
  const find = (path: string) => model.catalog?.queries.find(query => query.path === path);

  addCommand(home, CommandIDs.runUnderCursor, {
    label: trans.__('Run Function Under Cursor'),
    caption: trans.__(
      'Save, build and call the function; asks for its arguments where it needs them'
    ),
    icon: runIcon,
    isEnabled: isOpen,
    execute: async () => {
      const widget = tracker.currentWidget;
      if (!widget) {
        return;
      }
      const { context, content } = widget;
      const { model: text, localPath: path } = context;
      if (!model.catalog) {
        await model.refresh();
      }
      if (text.dirty) {
        const report = (await app.commands.execute(CommandIDs.build)) as IBuildReport;
        if (!report.ok) {
          app.shell.activateById(PANEL_ID);
          return;
        }
      }
      const query = find(path);
      if (!query) {
        throw new Error(
          trans.__('%1 is no Query. Its menu in the file browser has "Add as Query".', path)
        );
      }
      const { line } = content.editor.getCursorPosition();
      const target = functionAt(text.toString().split('\n'), line, query.language, query.functions);
      if (!target) {
        throw new Error(trans.__('There is no function of %1 at the cursor.', query.id));
      }
      const found = { query, target };
      calls.select({ query: query.id, function: target.name });
      app.shell.activateById(PANEL_ID);
      if (argumentsOf(target.parameters, calls.draft(found)).errors.length === 0) {
        await calls.run(found);
      }
    }
  });
  tracker.currentChanged.connect(() => {
    app.commands.notifyCommandChanged(CommandIDs.runUnderCursor);
  });
}
