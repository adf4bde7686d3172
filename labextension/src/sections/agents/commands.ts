import { Notification } from '@jupyterlab/apputils';
import { PathExt } from '@jupyterlab/coreutils';
import type { IDocumentWidget } from '@jupyterlab/docregistry';
import type { FileEditor } from '@jupyterlab/fileeditor';
import { editIcon, launchIcon, runIcon, stopIcon } from '@jupyterlab/ui-components';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';
import { addCommand, describe, type ICommandsOptions } from '../../commands';
import { openAt } from '../../openfile';
import { askSchedule } from '../../schedule/dialog';
import { hereZone } from '../../schedule/editor';
import type { AgentMode, IAgent, IAgentRun } from '../../rest';
import { CommandIDs } from '../../tokens';
import { explainRun } from './explain';
import { literalOf } from './literal';

const SHOW = 'coflows:show-agents';

/** What can be done with an Agent: the one that the argument `agent` names, else the one that is open. */
export function addAgentCommands(options: ICommandsOptions): void {
  const { app, coflows, documents, trans } = options;
  const { agents } = coflows;
  const describedBy = describe({
    agent: trans.__("The Agent's ID; without it, the one that is open is meant")
  });
  const add = (
    id: string,
    command: { label: string; icon?: typeof runIcon },
    fits: (agent: IAgent) => boolean,
    act: (agent: IAgent) => Promise<void>
  ) =>
    addCommand(options, id, {
      ...command,
      describedBy,
      isEnabled: args => {
        const agent = named(options, args);
        return agent !== null && fits(agent);
      },
      execute: async args => {
        const agent = named(options, args);
        if (agent) {
          await act(agent);
        }
      }
    });

  const switches: [string, string, AgentMode][] = [
    [CommandIDs.startAgent, trans.__('Start the Agent'), 'started'],
    [CommandIDs.pauseAgent, trans.__('Pause the Agent'), 'paused'],
    [CommandIDs.stopAgent, trans.__('Stop the Agent'), 'stopped']
  ];
  for (const [id, label, wanted] of switches) {
    add(
      id,
      { label },
      ({ mode }) => mode !== wanted,
      agent => agents.switch(agent.id, wanted)
    );
  }
  const hasJob = ({ callbacks }: IAgent) => callbacks.includes('job');
  add(CommandIDs.runAgent, { label: trans.__('Run the Agent now'), icon: runIcon }, hasJob, agent =>
    agents.runNow(agent.id)
  );
  add(
    CommandIDs.editSchedule,
    { label: trans.__('Edit the schedule of the Agent'), icon: editIcon },
    hasJob,
    agent => editSchedule(options, agent)
  );
  add(
    CommandIDs.openAgentSource,
    { label: trans.__('Open the source of the Agent'), icon: launchIcon },
    ({ path }) => path !== '',
    async agent => {
      if (agent.notebook) {
        documents.openOrReveal(agent.notebook);
      } else {
        await openAt(documents, agent.path, 0);
      }
    }
  );
  addRunCommands(options);
  agents.changed.connect(() => {
    for (const id of [...switches.map(([id]) => id), CommandIDs.runAgent]) {
      app.commands.notifyCommandChanged(id);
    }
  });
  agents.failed.connect((_, run) => notifyFailed(options, run));
}

function addRunCommands(options: ICommandsOptions): void {
  const { app, coflows, trans } = options;
  const { agents } = coflows;
  const describedBy = describe({ run: trans.__("The run's ID") }, ['run']);
  const add = (
    id: string,
    label: string,
    execute: (run: string, args: ReadonlyPartialJSONObject) => Promise<void>
  ) =>
    addCommand(
      options,
      id,
      { label, icon: stopIcon, describedBy, execute: args => execute(args.run as string, args) },
      { palette: false }
    );
  add(CommandIDs.cancelAgentRun, trans.__('Cancel the run of the Agent'), run =>
    agents.cancel(run)
  );
  add(CommandIDs.explainAgentRun, trans.__('Explain the run of the Agent'), async (run, args) => {
    await agents.select(args.agent as string);
    const found = agents.findRun(run);
    if (found) {
      await explainRun(agents, found, trans);
    }
  });
  add(CommandIDs.openAgentRun, trans.__('Show the run of the Agent'), async (run, args) => {
    await app.commands.execute(SHOW);
    await agents.select(args.agent as string);
    agents.open(agents.findRun(run));
  });
}

/** Tell that an Agent's run failed for good. */
function notifyFailed({ app, coflows, trans }: ICommandsOptions, run: IAgentRun): void {
  const args = { run: run.run_id, agent: run.agent_id };
  const name = coflows.agents.find(run.agent_id)?.name ?? run.agent_id;
  Notification.error(trans.__('Agent %1 failed: %2', name, run.reason), {
    autoClose: false,
    actions: [
      {
        label: trans.__('Explain'),
        callback: () => void app.commands.execute(CommandIDs.explainAgentRun, args)
      },
      {
        label: trans.__('Open log'),
        callback: () => void app.commands.execute(CommandIDs.openAgentRun, args)
      }
    ]
  });
}

/** Let a person make a schedule, and put it where the Agent declares it: unsaved, so that it can be looked at. */
async function editSchedule(options: ICommandsOptions, agent: IAgent): Promise<void> {
  const { app, coflows, documents, rendermime, trans } = options;
  if (agent.notebook) {
    const args = { path: agent.notebook, agent: agent.id };
    await app.commands.execute(CommandIDs.scheduleNotebook, args);
    return;
  }
  const services = { ...coflows, commands: app.commands, rendermime, trans };
  const zone = hereZone();
  const given = agent.schedule || `0 0 9 ? * MON-FRI${zone && ` @ ${zone}`}`;
  const title = trans.__('Schedule of %1', agent.name);
  const text = await askSchedule(services, given, title, trans.__('Put into the source'));
  if (text === null || text === agent.schedule) {
    return;
  }
  await openAt(documents, agent.path, 0);
  const widget = documents.findWidget(agent.path, 'Editor') as IDocumentWidget<FileEditor>;
  const { editor } = widget.content;
  const place = agent.schedule ? literalOf(editor.model.sharedModel.source, agent.schedule) : null;
  if (!place) {
    throw new Error(
      trans.__('The schedule is not a text in %1: write %2 there.', agent.path, text)
    );
  }
  editor.model.sharedModel.updateSource(place.start, place.end, text);
  const [start, end] = [place.start, place.start + text.length].map(offset =>
    editor.getPositionAt(offset)
  );
  if (start && end) {
    editor.setSelection({ start, end });
    editor.revealPosition(start);
  }
  Notification.info(trans.__('Save %1 to use the schedule', PathExt.basename(agent.path)), {
    autoClose: 5000
  });
}

function named({ coflows }: ICommandsOptions, args: ReadonlyPartialJSONObject): IAgent | null {
  const { agents } = coflows;
  return typeof args.agent === 'string' ? agents.find(args.agent) : agents.selected;
}
