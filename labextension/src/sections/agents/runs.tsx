import { Button, notebookIcon, stopIcon } from '@jupyterlab/ui-components';
import * as React from 'react';
import { Log, ProgressBar, useNow } from '../../components/activity';
import { useServices } from '../../components/context';
import { Sign } from '../../components/sign';
import { agoText, durationText, untilText } from '../../format';
import type { IAgentRun } from '../../rest';
import { CommandIDs } from '../../tokens';
import type { IAgentRunDetails } from './model';
import { causeLabels, stateLabels } from './text';

/** The latest runs of the Agent that is open, with what became of them and why. */
export function AgentRunList(): React.JSX.Element {
  const { agents, trans } = useServices();
  if (agents.runs.length === 0) {
    return <p className="jp-Coflows-muted">{trans.__('It has not run yet.')}</p>;
  }
  return (
    <ul aria-label={trans.__('Last runs')} className="jp-Coflows-agentRuns">
      {agents.runs.map(run => {
        const details = agents.details?.run.run_id === run.run_id ? agents.details : null;
        return (
          <li key={run.run_id} data-outcome={run.state}>
            <RunRow run={run} open={details !== null} />
            {details && <RunDetails details={details} />}
          </li>
        );
      })}
    </ul>
  );
}

function RunRow({ run, open }: { run: IAgentRun; open: boolean }): React.JSX.Element {
  const { agents, trans } = useServices();
  const now = Date.now();
  const future = Date.parse(run.fire_at) > now;
  return (
    <button
      type="button"
      className="jp-Coflows-run"
      aria-expanded={open}
      onClick={() => agents.open(open ? null : run)}
    >
      <Sign outcome={run.state} label={stateLabels(trans)[run.state]} />
      <span className="jp-Coflows-label">
        <time dateTime={run.fire_at} title={new Date(run.fire_at).toLocaleString()}>
          {future ? untilText(run.fire_at, now) : agoText(run.fire_at, now)}
        </time>
        {' · '}
        {causeLabels(trans)[run.cause]}
      </span>
      <span className="jp-Coflows-took">{tookText(run)}</span>
      {run.reason && (
        <span className="jp-Coflows-by" title={run.reason}>
          {run.reason}
        </span>
      )}
    </button>
  );
}

function RunDetails({ details }: { details: IAgentRunDetails }): React.JSX.Element {
  const { agents, commands, trans } = useServices();
  const { run, activity } = details;
  const secondary = 'jp-mod-styled jp-Coflows-secondary';
  const args = { run: run.run_id };
  return (
    <div className="jp-Coflows-runDetails">
      {run.reason && (
        <p className="jp-Coflows-runError" data-outcome={run.state}>
          {run.reason}
        </p>
      )}
      {run.state === 'running' && <Running details={details} />}
      <div className="jp-Coflows-actions">
        {(run.state === 'running' || run.state === 'due') && (
          <Button
            className={secondary}
            onClick={() => void commands.execute(CommandIDs.cancelAgentRun, args)}
          >
            <stopIcon.react tag="span" /> {trans.__('Cancel')}
          </Button>
        )}
        {agents.selected?.notebook && run.ended_at && run.started_at && (
          <Button
            className={secondary}
            onClick={() => void commands.execute(CommandIDs.openAgentNotebook, args)}
          >
            <notebookIcon.react tag="span" /> {trans.__('Open notebook')}
          </Button>
        )}
        <Button
          className={secondary}
          onClick={() =>
            void commands.execute(CommandIDs.explainAgentRun, { ...args, agent: run.agent_id })
          }
        >
          {trans.__('Explain')}
        </Button>
      </div>
      <Log text={activity.log} />
      {run.started_at && !activity.log && run.state !== 'running' && (
        <p className="jp-Coflows-muted">{trans.__('It printed nothing that is still kept.')}</p>
      )}
      <dl className="jp-Coflows-facts">
        <dt>{trans.__('Outcome')}</dt>
        <dd>{stateLabels(trans)[run.state]}</dd>
        <dt>{trans.__('Due')}</dt>
        <dd>{new Date(run.fire_at).toLocaleString()}</dd>
        {run.late_seconds !== null && (
          <>
            <dt>{trans.__('Began')}</dt>
            <dd>{trans.__('%1 after that', durationText(run.late_seconds))}</dd>
          </>
        )}
        {run.attempt > 1 && (
          <>
            <dt>{trans.__('Attempt')}</dt>
            <dd>{run.attempt}</dd>
          </>
        )}
        <dt>{trans.__('Run')}</dt>
        <dd>
          <code>{run.run_id}</code>
        </dd>
      </dl>
    </div>
  );
}

function Running({ details: { run, activity } }: { details: IAgentRunDetails }): React.JSX.Element {
  useNow();
  const elapsed = run.started_at ? (Date.now() - Date.parse(run.started_at)) / 1000 : 0;
  return <ProgressBar progress={activity.progress} elapsed={Math.max(0, elapsed)} />;
}

function tookText({ started_at: start, ended_at: end, state }: IAgentRun): string {
  return start && end && state !== 'skipped'
    ? durationText((Date.parse(end) - Date.parse(start)) / 1000)
    : '';
}
