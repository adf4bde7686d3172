import * as React from 'react';
import { useNow } from '../../components/activity';
import { useServices, useSignal } from '../../components/context';
import { Sign } from '../../components/sign';
import { untilText } from '../../format';
import type { IAgent } from '../../rest';
import { AgentDetails } from './details';
import { modeLabels, stateLabels } from './text';

/** The Agents section: what runs on its own, when next, and how that went. */
export function AgentsSection(): React.JSX.Element {
  const { agents, model, trans } = useServices();
  useSignal(agents.changed);
  // Texts such as "in 3 min." become old.
  useNow(10_000);
  const now = Date.now();
  if (!model.workflow || model.availability === 'signed-out') {
    return <p className="jp-Coflows-muted">{trans.__('There are no Agents.')}</p>;
  }
  return (
    <div className="jp-Coflows-runs">
      {agents.problem && (
        <p role="alert" className="jp-Coflows-banner">
          {agents.problem}
        </p>
      )}
      <ul aria-label={trans.__('Agents')}>
        {agents.agents.map(agent => (
          <li key={agent.id}>
            <AgentRow agent={agent} now={now} open={agents.selected === agent} />
            {agents.selected === agent && <AgentDetails agent={agent} />}
          </li>
        ))}
      </ul>
      {agents.known && agents.agents.length === 0 && (
        <p className="jp-Coflows-muted">
          {trans.__('There are no Agents. A file of Agents/ declares one with @agent.')}
        </p>
      )}
    </div>
  );
}

interface IAgentRowProps {
  agent: IAgent;
  now: number;
  open: boolean;
}

function AgentRow({ agent, now, open }: IAgentRowProps): React.JSX.Element {
  const { agents, trans } = useServices();
  const running = agent.running.length > 0;
  const state = running ? 'running' : agent.last?.state;
  const next = agent.upcoming.at(0);
  const when =
    agent.mode !== 'started' ? modeLabels(trans)[agent.mode] : next ? untilText(next, now) : '';
  return (
    <button
      type="button"
      className="jp-Coflows-run"
      aria-expanded={open}
      onClick={() => void agents.select(open ? '' : agent.id)}
    >
      {state ? <Sign outcome={state} label={stateLabels(trans)[state]} /> : <span />}
      <span className="jp-Coflows-label" title={agent.description || agent.id}>
        {agent.name}
      </span>
      <span className="jp-Coflows-took">{when}</span>
      <span className="jp-Coflows-by">
        {triggerText(
          agent,
          agent.callbacks.includes('body') ? trans.__('on a message') : trans.__('by hand')
        )}
        {agent.drift && ` · ${trans.__('not on time')}`}
      </span>
    </button>
  );
}

function triggerText({ words, listens }: IAgent, otherwise: string): string {
  return [words, listens && `M: ${listens}`].filter(Boolean).join(' · ') || otherwise;
}
