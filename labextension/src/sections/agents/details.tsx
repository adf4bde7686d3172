import { Button, closeIcon, editIcon, launchIcon, runIcon } from '@jupyterlab/ui-components';
import type { JSONObject } from '@lumino/coreutils';
import * as React from 'react';
import { useServices } from '../../components/context';
import { Upcoming } from '../../schedule/upcoming';
import type { AgentMode, IAgent } from '../../rest';
import { CommandIDs } from '../../tokens';
import { ExplainForm, SendForm } from './forms';
import { AgentRunList } from './runs';
import { modeLabels } from './text';

const SWITCHES: Record<AgentMode, string> = {
  started: CommandIDs.startAgent,
  paused: CommandIDs.pauseAgent,
  stopped: CommandIDs.stopAgent
};

/** Everything about an Agent, and what can be done with it. */
export function AgentDetails({ agent }: { agent: IAgent }): React.JSX.Element {
  const { trans } = useServices();
  return (
    <div className="jp-Coflows-runDetails">
      {agent.description && <p>{agent.description}</p>}
      {agent.drift && (
        <p role="status" className="jp-Coflows-banner">
          {trans.__('Not on time: %1', agent.drift)}
        </p>
      )}
      <ModeSwitch agent={agent} />
      <Actions agent={agent} />
      <Parameters values={agent.parameters} />
      {agent.upcoming.length > 0 && (
        <>
          <h4>{trans.__('Next times')}</h4>
          <Upcoming times={agent.upcoming} schedule={agent.schedule} />
        </>
      )}
      <h4>{trans.__('Last runs')}</h4>
      <AgentRunList />
      <ExplainForm agent={agent} />
      {agent.callbacks.includes('body') && <SendForm agent={agent} />}
    </div>
  );
}

/** What a notebook is executed with. */
function Parameters({ values }: { values: JSONObject }): React.JSX.Element | null {
  const { trans } = useServices();
  const items = Object.entries(values);
  return items.length === 0 ? null : (
    <>
      <h4>{trans.__('Parameters')}</h4>
      <dl className="jp-Coflows-facts">
        {items.map(([name, value]) => (
          <React.Fragment key={name}>
            <dt>{name}</dt>
            <dd>
              <code>{JSON.stringify(value)}</code>
            </dd>
          </React.Fragment>
        ))}
      </dl>
    </>
  );
}

function ModeSwitch({ agent }: { agent: IAgent }): React.JSX.Element {
  const { commands, trans } = useServices();
  return (
    <div role="group" aria-label={trans.__('State')} className="jp-Coflows-views">
      {Object.entries(modeLabels(trans)).map(([mode, label]) => (
        <button
          key={mode}
          type="button"
          aria-pressed={agent.mode === mode}
          onClick={() => {
            if (agent.mode !== mode) {
              void commands.execute(SWITCHES[mode as AgentMode], { agent: agent.id });
            }
          }}
        >
          {label}
        </button>
      ))}
    </div>
  );
}

function Actions({ agent }: { agent: IAgent }): React.JSX.Element {
  const { commands, trans } = useServices();
  const secondary = 'jp-mod-styled jp-Coflows-secondary';
  const args = { agent: agent.id };
  return (
    <div className="jp-Coflows-actions">
      {agent.callbacks.includes('job') && (
        <>
          <Button
            className={secondary}
            onClick={() => void commands.execute(CommandIDs.runAgent, args)}
          >
            <runIcon.react tag="span" /> {trans.__('Run now')}
          </Button>
          <Button
            className={secondary}
            onClick={() => void commands.execute(CommandIDs.editSchedule, args)}
          >
            <editIcon.react tag="span" /> {trans.__('Schedule…')}
          </Button>
        </>
      )}
      {agent.notebook && (
        <Button
          className={secondary}
          onClick={() =>
            void commands.execute(CommandIDs.unscheduleNotebook, { ...args, path: agent.notebook })
          }
        >
          <closeIcon.react tag="span" /> {trans.__('Unschedule')}
        </Button>
      )}
      {agent.path && (
        <Button
          className={secondary}
          onClick={() => void commands.execute(CommandIDs.openAgentSource, args)}
        >
          <launchIcon.react tag="span" /> {trans.__('Open source')}
        </Button>
      )}
    </div>
  );
}
