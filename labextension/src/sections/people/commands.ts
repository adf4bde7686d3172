import { Clipboard, Dialog, showDialog } from '@jupyterlab/apputils';
import { addIcon, copyIcon, refreshIcon } from '@jupyterlab/ui-components';
import { addCommand, describe, type ICommandsOptions } from '../../commands';
import { notifyCopied } from '../../notify';
import { CommandIDs } from '../../tokens';

/** Keys and members: ask again, make, copy, revoke, remove. */
export function addPeopleCommands(options: ICommandsOptions): void {
  const { app, coflows, trans } = options;
  const { people } = coflows;

  addCommand(
    options,
    CommandIDs.refreshPeople,
    {
      label: trans.__('Refresh people and keys'),
      icon: refreshIcon,
      execute: () => people.refresh()
    },
    { palette: false }
  );
  addCommand(options, CommandIDs.editAccount, {
    label: trans.__('Edit my account'),
    caption: trans.__('Change what you are called, and your password'),
    isEnabled: () => people.me?.account ?? true,
    execute: async () => {
      await app.commands.execute('coflows:show-people');
      people.editing = true;
    }
  });
  addCommand(options, CommandIDs.newKey, {
    label: trans.__('New key'),
    caption: trans.__('Make a key for programs that call functions'),
    icon: addIcon,
    execute: async () => {
      await app.commands.execute('coflows:show-people');
      people.creating = true;
    }
  });
  addCommand(
    options,
    CommandIDs.copyNewKey,
    {
      label: trans.__('Copy the new key'),
      icon: copyIcon,
      isEnabled: () => people.made !== null,
      execute: () => {
        if (people.made) {
          Clipboard.copyToSystem(people.made.key);
          notifyCopied(trans.__('key'), trans);
        }
      }
    },
    { palette: false }
  );
  addRemovals(options);
  people.changed.connect(() => {
    app.commands.notifyCommandChanged(CommandIDs.copyNewKey);
    app.commands.notifyCommandChanged(CommandIDs.editAccount);
  });
}

function addRemovals(options: ICommandsOptions): void {
  const { people } = options.coflows;
  const { trans } = options;
  addCommand(
    options,
    CommandIDs.revokeKey,
    {
      label: trans.__('Revoke a key'),
      describedBy: describe({ key: trans.__("The key's ID") }, ['key']),
      execute: async args => {
        const key = people.keys.find(({ id }) => id === args.key);
        const what = trans.__('Revoke the key %1?', key?.name || (args.key as string));
        const about = trans.__('What uses it is refused from now on. There is no way back.');
        if (await confirm(what, about, trans.__('Revoke'), trans.__('Cancel'))) {
          await people.revokeKey(args.key as string);
        }
      }
    },
    { palette: false }
  );
  addCommand(
    options,
    CommandIDs.removeMember,
    {
      label: trans.__('Remove a person from the Workflow'),
      describedBy: describe({ user: trans.__('The account') }, ['user']),
      execute: async args => {
        const user = args.user as string;
        const what = trans.__('Remove %1?', user);
        const about = trans.__('They lose at once what this level lets them do.');
        if (await confirm(what, about, trans.__('Remove'), trans.__('Cancel'))) {
          await people.removeMember(user);
        }
      }
    },
    { palette: false }
  );
}

async function confirm(
  title: string,
  body: string,
  accept: string,
  cancel: string
): Promise<boolean> {
  const { button } = await showDialog({
    title,
    body,
    buttons: [Dialog.cancelButton({ label: cancel }), Dialog.warnButton({ label: accept })],
    defaultButton: 0
  });
  return button.accept;
}
