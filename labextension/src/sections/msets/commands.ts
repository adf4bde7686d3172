import { Clipboard, InputDialog, Notification } from '@jupyterlab/apputils';
import { addIcon, copyIcon, launchIcon, refreshIcon } from '@jupyterlab/ui-components';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';
import { addCommand, describe, type ICommandsOptions } from '../../commands';
import { getAsCurl, msetAsCell } from '../../copy';
import { notifyCopied, notifyFailure } from '../../notify';
import type { ICondition } from '../../rest';
import { CommandIDs } from '../../tokens';
import type { SetModel } from './set';
import { makeSetTab } from './tab';

const UNDO_MS = 10_000;

/** Open, make and copy M sets; remove entries. */
export function addMSetCommands(options: ICommandsOptions): void {
  const { app, coflows, rendermime, trans } = options;
  const { msets } = coflows;
  const describedBy = describe({ set: trans.__('The M set') }, ['set']);

  addCommand(
    options,
    CommandIDs.refreshMSets,
    { label: trans.__('Refresh M sets'), icon: refreshIcon, execute: () => msets.refresh() },
    { palette: false }
  );
  addCommand(options, CommandIDs.newMSet, {
    label: trans.__('New M set'),
    caption: trans.__('Name a set and add its first entry'),
    icon: addIcon,
    execute: async () => {
      await app.commands.execute('coflows:show-msets');
      const title = trans.__('Name of the M set');
      const { value } = await InputDialog.getText({ title, required: true });
      if (value?.trim()) {
        msets.show(value.trim());
        if (msets.shown) {
          msets.shown.adding = true;
        }
      }
    }
  });
  addCommand(
    options,
    CommandIDs.openMSet,
    {
      label: trans.__('Open an M set in a tab'),
      icon: launchIcon,
      describedBy,
      execute: args => {
        const services = { ...coflows, commands: app.commands, rendermime, trans };
        const tab = makeSetTab(services, msets.follow(args.set as string));
        app.shell.add(tab, 'main');
      }
    },
    { palette: false }
  );
  addRemoval(options);
  addCopies(options);
}

function addRemoval(options: ICommandsOptions): void {
  const { msets } = options.coflows;
  const { trans } = options;
  addCommand(
    options,
    CommandIDs.removeMEntry,
    {
      label: trans.__('Remove an entry of an M set'),
      describedBy: describe({ set: trans.__('The M set'), entry: trans.__("The entry's ID") }, [
        'set',
        'entry'
      ]),
      execute: async args => {
        const undo = await using(msets.follow(args.set as string), set =>
          set.remove(args.entry as string)
        );
        Notification.info(trans.__('%1 was removed from %2', args.entry, args.set), {
          autoClose: UNDO_MS,
          actions: [{ label: trans.__('Undo'), callback: () => void undo().catch(notifyFailure) }]
        });
      }
    },
    { palette: false }
  );
}

function addCopies(options: ICommandsOptions): void {
  const { trans } = options;
  const describedBy = describe(
    {
      set: trans.__('The M set'),
      conditions: { type: 'array', description: trans.__('Conditions: field, op, value') }
    },
    ['set']
  );
  const formats: [string, string, (set: SetModel) => string][] = [
    [
      CommandIDs.copyMSetCell,
      trans.__('notebook cell'),
      set => msetAsCell(set.id.name, set.conditions)
    ],
    [CommandIDs.copyMSetCurl, trans.__('curl'), set => getAsCurl(set.address)]
  ];
  for (const [id, name, format] of formats) {
    addCommand(
      options,
      id,
      {
        label: trans.__('Copy the M set as %1', name),
        icon: copyIcon,
        describedBy,
        execute: async args => {
          const text = await using(narrowed(options, args), set => Promise.resolve(format(set)));
          Clipboard.copyToSystem(text);
          notifyCopied(name, trans);
        }
      },
      { palette: false }
    );
  }
}

function narrowed({ coflows }: ICommandsOptions, args: ReadonlyPartialJSONObject): SetModel {
  const set = coflows.msets.follow(args.set as string);
  set.conditions = (args.conditions ?? []) as unknown as ICondition[];
  return set;
}

async function using<T>(set: SetModel, act: (set: SetModel) => Promise<T>): Promise<T> {
  try {
    return await act(set);
  } finally {
    set.dispose();
  }
}
