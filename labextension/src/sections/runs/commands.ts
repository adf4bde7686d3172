import { Clipboard } from '@jupyterlab/apputils';
import { copyIcon, launchIcon, refreshIcon, stopIcon } from '@jupyterlab/ui-components';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';
import { addCommand, describe, type ICommandsOptions } from '../../commands';
import { makeResultTab } from '../../components/resulttab';
import { asCell, asCurl, givenArguments } from '../../copy';
import { notifyCopied } from '../../notify';
import type { IFunction, IRun } from '../../rest';
import { CommandIDs, type ICoflows } from '../../tokens';

/** What can be done with a run: the one that the argument `run` names, else the one that is shown. */
export function addRunCommands(options: ICommandsOptions): void {
  const { app, coflows, rendermime, trans } = options;
  const { runs } = coflows;
  const describedBy = describe({
    run: trans.__("The run's ID; without it, the run whose details are shown is meant")
  });
  const add = (
    id: string,
    command: { label: string; icon: typeof stopIcon },
    fits: (run: IRun) => boolean,
    act: (run: IRun) => Promise<void> | void
  ) =>
    addCommand(options, id, {
      ...command,
      describedBy,
      isEnabled: args => {
        const run = named(coflows, args);
        return run !== null && fits(run);
      },
      execute: async args => {
        const run = named(coflows, args);
        if (run) {
          await act(run);
        }
      }
    });

  add(
    CommandIDs.runAgain,
    { label: trans.__('Run again'), icon: refreshIcon },
    ({ outcome, arguments: values }) => outcome !== 'running' && values !== null,
    ({ id }) => runs.again(id)
  );
  add(
    CommandIDs.cancelRun,
    { label: trans.__('Cancel the run'), icon: stopIcon },
    ({ id, outcome }) => outcome === 'running' && !runs.isStopping(id),
    ({ id }) => runs.cancel(id)
  );
  add(
    CommandIDs.openRunResult,
    { label: trans.__('Open the result of the run in a tab'), icon: launchIcon },
    ({ kept, outcome }) => kept && outcome === 'succeeded',
    async run => {
      const services = { ...coflows, commands: app.commands, rendermime, trans };
      app.shell.add(makeResultTab(services, run, await runs.result(run)), 'main');
    }
  );
  addCopies(options, add);
  runs.changed.connect(() => {
    const { runAgain, cancelRun, openRunResult, copyRunCell, copyRunCurl } = CommandIDs;
    for (const id of [runAgain, cancelRun, openRunResult, copyRunCell, copyRunCurl]) {
      app.commands.notifyCommandChanged(id);
    }
  });
}

type Add = (
  id: string,
  command: { label: string; icon: typeof stopIcon },
  fits: (run: IRun) => boolean,
  act: (run: IRun) => Promise<void> | void
) => void;

function addCopies({ coflows, trans }: ICommandsOptions, add: Add): void {
  const { calls, runs } = coflows;
  const functionOf = (run: IRun): IFunction | null =>
    calls.find({ query: run.query, function: run.function })?.target ?? null;
  const formats: [string, string, (run: IRun) => string][] = [
    [CommandIDs.copyRunCell, trans.__('notebook cell'), run => asCell(run, functionOf(run))],
    [
      CommandIDs.copyRunCurl,
      trans.__('curl'),
      run => asCurl(runs.address(run), givenArguments(run.arguments, functionOf(run)))
    ]
  ];
  for (const [id, name, format] of formats) {
    add(
      id,
      { label: trans.__('Copy the run as %1', name), icon: copyIcon },
      run => run.arguments !== null,
      run => {
        Clipboard.copyToSystem(format(run));
        notifyCopied(name, trans);
      }
    );
  }
}

function named({ runs }: ICoflows, args: ReadonlyPartialJSONObject): IRun | null {
  return typeof args.run === 'string' ? runs.find(args.run) : (runs.details?.run ?? null);
}
