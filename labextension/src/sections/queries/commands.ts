import { Clipboard } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import { copyIcon, launchIcon, runIcon, stopIcon } from '@jupyterlab/ui-components';
import type { JSONObject, ReadonlyPartialJSONObject } from '@lumino/coreutils';
import { addCommand, describe, type ICommandsOptions } from '../../commands';
import { makeResultTab } from '../../components/resulttab';
import { asCommand, asCurl, asPython } from '../../copy';
import { notifyCopied } from '../../notify';
import { bodyOf } from '../../schema';
import type { Arguments } from '../../rest';
import { CommandIDs, type ICoflows } from '../../tokens';
import type { IFound, IFunctionName } from './model';

/** Run a function, stop it, look at its result and source. */
export function addFunctionCommands(options: ICommandsOptions): void {
  const { app, coflows, rendermime, trans } = options;
  const { calls } = coflows;
  const describedBy = describeFunction(trans);

  addCommand(options, CommandIDs.run, {
    label: trans.__('Run the function'),
    caption: trans.__('Call the selected function with what is in its form'),
    icon: runIcon,
    describedBy,
    isEnabled: args => callable(found(coflows, args)),
    execute: async args => {
      const target = found(coflows, args);
      if (target) {
        calls.select(nameOf(target));
        if (isObject(args.arguments)) {
          calls.setArguments(target, args.arguments as Arguments);
        }
        await calls.run(target);
      }
    }
  });
  addCommand(options, CommandIDs.cancel, {
    label: trans.__('Cancel the call'),
    caption: trans.__('Stop the running call of the selected function'),
    icon: stopIcon,
    describedBy,
    isEnabled: args => {
      const target = found(coflows, args);
      return target !== null && calls.running(target) !== null;
    },
    execute: args => {
      const target = found(coflows, args);
      if (target) {
        calls.cancel(target);
      }
    }
  });
  addCommand(options, CommandIDs.openResult, {
    label: trans.__('Open the result in a tab'),
    icon: launchIcon,
    describedBy,
    isEnabled: args => {
      const target = found(coflows, args);
      return target !== null && calls.outcome(target)?.kind === 'result';
    },
    execute: args => {
      const target = found(coflows, args);
      const outcome = target && calls.outcome(target);
      if (target && outcome?.kind === 'result') {
        const services = { ...coflows, commands: app.commands, rendermime, trans };
        app.shell.add(makeResultTab(services, nameOf(target), outcome), 'main');
      }
    }
  });
  addCommand(options, CommandIDs.openSource, {
    label: trans.__("Open the function's source"),
    describedBy,
    isEnabled: args => Boolean(found(coflows, args)?.query.path),
    execute: async args => {
      const target = found(coflows, args);
      await app.commands.execute(CommandIDs.openAt, {
        path: target?.query.path ?? '',
        line: target?.target.line ?? 0
      });
    }
  });
  calls.changed.connect(() => {
    const { run, cancel, openResult, openSource } = CommandIDs;
    for (const id of [run, cancel, openResult, openSource]) {
      app.commands.notifyCommandChanged(id);
    }
  });
}

/** Copy the call that the form would make. */
export function addCopyCommands(options: ICommandsOptions): void {
  const { coflows, trans } = options;
  const { calls } = coflows;
  const formats: [string, string, (target: IFound) => string][] = [
    [
      CommandIDs.copyCurl,
      trans.__('curl'),
      item => asCurl(calls.address(item), bodyOf(item.target, calls.values(item)))
    ],
    [
      CommandIDs.copyCommand,
      trans.__('coflows command'),
      item => asCommand(item.query, item.target, calls.values(item))
    ],
    [
      CommandIDs.copyPython,
      trans.__('Python'),
      item => asPython(item.query, item.target, calls.values(item))
    ]
  ];
  for (const [id, name, format] of formats) {
    addCommand(options, id, {
      label: trans.__('Copy as %1', name),
      icon: copyIcon,
      describedBy: describeFunction(trans),
      isEnabled: args => found(coflows, args) !== null,
      execute: args => {
        const target = found(coflows, args);
        if (target) {
          Clipboard.copyToSystem(format(target));
          notifyCopied(name, trans);
        }
      }
    });
  }
}

/** The function that arguments name, else the selected one. */
function found({ calls }: ICoflows, args: ReadonlyPartialJSONObject): IFound | null {
  const { query, function: name } = args;
  return typeof query === 'string' && typeof name === 'string'
    ? calls.find({ query, function: name })
    : calls.selected;
}

function nameOf({ query, target }: IFound): IFunctionName {
  return { query: query.id, function: target.name };
}

function callable(target: IFound | null): boolean {
  return target?.target.callable ?? false;
}

function describeFunction(trans: TranslationBundle): { args: JSONObject } {
  return describe({
    query: trans.__("The Query's ID; without it, the selected function is meant"),
    function: trans.__("The function's name"),
    arguments: { type: 'object', description: trans.__('Arguments by name, for the form') }
  });
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
