import type { JupyterFrontEnd } from '@jupyterlab/application';
import type { ICommandPalette } from '@jupyterlab/apputils';
import type { IDocumentManager } from '@jupyterlab/docmanager';
import type { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { CommandRegistry } from '@lumino/commands';
import type { JSONObject } from '@lumino/coreutils';
import { notifyFailure } from './notify';
import { openAt } from './openfile';
import { CommandIDs, type ICoflows } from './tokens';

/** What a command is added to. */
export interface ICommandHome {
  app: JupyterFrontEnd;
  palette: ICommandPalette | null;
  trans: TranslationBundle;
}

export interface ICommandsOptions extends ICommandHome {
  coflows: ICoflows;
  documents: IDocumentManager;
  rendermime: IRenderMimeRegistry;
}

/** Add the command that opens a file at a place, for all sections. */
export function addOpenAt(options: ICommandsOptions): void {
  const { documents, trans } = options;
  addCommand(
    options,
    CommandIDs.openAt,
    {
      label: trans.__('Open a file at a line'),
      describedBy: describe(
        {
          path: trans.__('Path below the Lab root'),
          line: { type: 'integer', description: trans.__('1-based line') },
          column: { type: 'integer', description: trans.__('1-based column') }
        },
        ['path']
      ),
      execute: args =>
        openAt(documents, args.path as string, Number(args.line ?? 0), Number(args.column ?? 0))
    },
    { palette: false }
  );
}

/** Add one command: failures are told to the person, and the palette lists it unless it needs arguments. */
export function addCommand(
  { app, palette, trans }: ICommandHome,
  id: string,
  command: CommandRegistry.ICommandOptions,
  { palette: listed = true } = {}
): void {
  app.commands.addCommand(id, {
    describedBy: describe({}),
    ...command,
    execute: async args => {
      try {
        return (await command.execute(args)) as unknown;
      } catch (error) {
        notifyFailure(error);
        throw error;
      }
    }
  });
  if (listed) {
    palette?.addItem({ command: id, category: trans.__('CoFlows') });
  }
}

/** Describe a command's arguments to those who call it. */
export function describe(
  properties: Record<string, string | JSONObject>,
  required: string[] = []
): { args: JSONObject } {
  const described = Object.entries(properties).map(([name, property]) => [
    name,
    typeof property === 'string' ? { type: 'string', description: property } : property
  ]);
  return {
    args: { type: 'object', properties: Object.fromEntries(described) as JSONObject, required }
  };
}
