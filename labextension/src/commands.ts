import type { JupyterFrontEnd } from '@jupyterlab/application';
import type { ICommandPalette } from '@jupyterlab/apputils';
import { Clipboard } from '@jupyterlab/apputils';
import type { IDocumentManager } from '@jupyterlab/docmanager';
import type { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import type { TranslationBundle } from '@jupyterlab/translation';
import {
  buildIcon,
  copyIcon,
  launchIcon,
  refreshIcon,
  runIcon,
  stopIcon
} from '@jupyterlab/ui-components';
import type { CommandRegistry } from '@lumino/commands';
import type { JSONObject, ReadonlyPartialJSONObject } from '@lumino/coreutils';
import type { IFound } from './calls';
import { makeResultTab } from './components/resulttab';
import { asCommand, asCurl, asPython } from './copy';
import { coflowsIcon } from './icons';
import { notifyBuild, notifyCopied, notifyFailure } from './notify';
import { openAt, saveBelow } from './openfile';
import { CommandIDs, PANEL_ID, type Arguments, type ICoflows } from './tokens';

export interface ICommandsOptions {
  app: JupyterFrontEnd;
  coflows: ICoflows;
  documents: IDocumentManager;
  palette: ICommandPalette | null;
  rendermime: IRenderMimeRegistry;
  trans: TranslationBundle;
}

/** Add every command of the extension; panel, palette, menus and shortcuts only refer to them. */
export function addCommands(options: ICommandsOptions): void {
  addWorkflowCommands(options);
  addFunctionCommands(options);
  addCopyCommands(options);
  addOpenAt(options);
}

function addWorkflowCommands(options: ICommandsOptions): void {
  const { app, coflows, documents, trans } = options;
  const { model } = coflows;
  const showPanel = () => app.shell.activateById(PANEL_ID);

  add(options, CommandIDs.openPanel, {
    label: trans.__('Show CoFlows'),
    caption: trans.__('Show the Workflow and its Queries'),
    icon: coflowsIcon,
    execute: showPanel
  });
  add(options, CommandIDs.refresh, {
    label: trans.__('Refresh'),
    caption: trans.__('Ask the server for the state of the Workflow'),
    icon: refreshIcon,
    execute: () => model.refresh()
  });
  add(options, CommandIDs.build, {
    label: trans.__('Build the Workflow'),
    caption: trans.__('Save the open files of the Workflow and build it'),
    icon: buildIcon,
    isEnabled: () => !model.building,
    execute: async () => {
      if (!model.workflow) {
        await model.refresh();
      }
      const folder = model.workflow?.path;
      if (folder !== null && folder !== undefined) {
        await saveBelow(app.shell, documents, folder);
      }
      const report = await model.build();
      if (!model.active) {
        notifyBuild(report, trans, showPanel);
      }
      return report;
    }
  });
  add(
    options,
    CommandIDs.selectWorkflow,
    {
      label: trans.__('Select a Workflow'),
      describedBy: describe({ workflow: trans.__("The Workflow's ID") }, ['workflow']),
      execute: args => model.select(args.workflow as string)
    },
    { palette: false }
  );
  const update = () => app.commands.notifyCommandChanged(CommandIDs.build);
  model.changed.connect(update);
}

function addFunctionCommands(options: ICommandsOptions): void {
  const { app, coflows, rendermime, trans } = options;
  const { calls } = coflows;
  const describedBy = describeFunction(trans);

  add(options, CommandIDs.run, {
    label: trans.__('Run the function'),
    caption: trans.__('Call the selected function with what is in its form'),
    icon: runIcon,
    describedBy,
    isEnabled: args => callable(found(coflows, args)),
    execute: async args => {
      const target = found(coflows, args);
      if (target) {
        calls.select({ query: target.query.id, function: target.target.name });
        if (isObject(args.arguments)) {
          calls.setArguments(target, args.arguments as Arguments);
        }
        await calls.run(target);
      }
    }
  });
  add(options, CommandIDs.cancel, {
    label: trans.__('Cancel the call'),
    caption: trans.__('Stop the running call of the selected function'),
    icon: stopIcon,
    describedBy,
    isEnabled: args => {
      const target = found(coflows, args);
      return target !== null && calls.runningSince(target) !== null;
    },
    execute: args => {
      const target = found(coflows, args);
      if (target) {
        calls.cancel(target);
      }
    }
  });
  add(options, CommandIDs.openResult, {
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
        app.shell.add(makeResultTab(services, target, outcome), 'main');
      }
    }
  });
  add(options, CommandIDs.openSource, {
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

function addCopyCommands(options: ICommandsOptions): void {
  const { coflows, trans } = options;
  const { calls } = coflows;
  const formats: [string, string, (target: IFound) => string][] = [
    [
      CommandIDs.copyCurl,
      trans.__('curl'),
      item => asCurl(calls.address(item), item.target, calls.values(item))
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
    add(options, id, {
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

function addOpenAt(options: ICommandsOptions): void {
  const { documents, trans } = options;
  add(
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
function add(
  { app, palette, trans }: ICommandsOptions,
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

/** The function that arguments name, else the selected one. */
function found({ calls }: ICoflows, args: ReadonlyPartialJSONObject): IFound | null {
  const { query, function: name } = args;
  return typeof query === 'string' && typeof name === 'string'
    ? calls.find({ query, function: name })
    : calls.selected;
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

function describe(
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

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
