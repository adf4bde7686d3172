import { HTMLSelect } from '@jupyterlab/ui-components';
import * as React from 'react';
import { durationText } from '../../format';
import type { IHost, IWorkflow } from '../../rest';
import { CommandIDs } from '../../tokens';
import { useServices, useSignal } from '../../components/context';
import { Encryption } from './certificate';
import { Diagnostics } from './diagnostics';
import { ConnectionBanner, Notice } from './notices';

/** The Workflow section: what serves, how the last Build went, what is wrong. */
export function WorkflowSection(): React.JSX.Element {
  const { model } = useServices();
  useSignal(model.changed);
  const { workflow } = model;
  return (
    <div className="jp-Coflows-section">
      <ConnectionBanner />
      {workflow && model.availability !== 'signed-out' ? (
        <>
          <Heading workflow={workflow} />
          <Progress />
          <Reasons workflow={workflow} />
          <Diagnostics items={workflow.diagnostics} />
          <Facts workflow={workflow} />
        </>
      ) : (
        <Notice />
      )}
    </div>
  );
}

function Heading({ workflow }: { workflow: IWorkflow }): React.JSX.Element {
  const { model, trans } = useServices();
  return (
    <div className="jp-Coflows-heading">
      {model.workflows.length > 1 ? (
        <HTMLSelect
          aria-label={trans.__('Workflow')}
          value={workflow.id}
          onChange={event => void model.select(event.currentTarget.value)}
          options={model.workflows.map(({ id, name }) => ({ value: id, label: name }))}
        />
      ) : (
        <span className="jp-Coflows-name" title={workflow.folder}>
          {workflow.name}
        </span>
      )}
      <StateBadge state={model.building ? 'building' : workflow.state} />
    </div>
  );
}

function StateBadge({ state }: { state: IWorkflow['state'] }): React.JSX.Element {
  const { trans } = useServices();
  const labels: Record<IWorkflow['state'], string> = {
    starting: trans.__('starting'),
    building: trans.__('building'),
    serving: trans.__('serving'),
    failed: trans.__('failed'),
    stopped: trans.__('stopped')
  };
  return (
    <span className="jp-Coflows-badge" data-state={state} role="status">
      {labels[state]}
    </span>
  );
}

function Progress(): React.JSX.Element | null {
  const { model, trans } = useServices();
  if (!model.building) {
    return null;
  }
  const { progress } = model;
  const known = progress !== null && progress.total > 0;
  return (
    <div className="jp-Coflows-progress">
      <progress
        aria-label={trans.__('Build')}
        {...(known ? { max: progress.total, value: progress.done } : {})}
      />
      <span>{progress?.message || progress?.step || trans.__('Building…')}</span>
    </div>
  );
}

function Facts({ workflow }: { workflow: IWorkflow }): React.JSX.Element {
  const { commands, model, trans } = useServices();
  const { build, hosts } = workflow;
  return (
    <dl className="jp-Coflows-facts">
      <dt>{trans.__('Last Build')}</dt>
      <dd title={build?.id}>
        {build ? `${timeText(build.at)} · ${durationText(build.seconds)}` : trans.__('none yet')}
      </dd>
      <dt>{trans._n('Host', 'Hosts', hosts.length)}</dt>
      <dd>
        {hosts.length === 0
          ? trans.__('none')
          : hosts.map(host => <Host key={host.name} host={host} />)}
      </dd>
      <dt>{trans.__('On save')}</dt>
      <dd>{workflow.watching ? trans.__('reloads by itself') : trans.__('waits for a Build')}</dd>
      {workflow.certificate && <Encryption certificate={workflow.certificate} />}
      <dt>{trans.__('API')}</dt>
      <dd className="jp-Coflows-links">
        <a href={model.apiPage} target="_blank" rel="noreferrer">
          {trans.__('Open the page')}
        </a>
        <button
          type="button"
          className="jp-Coflows-link"
          onClick={() => void commands.execute(CommandIDs.copyOpenApi)}
        >
          {trans.__('Copy OpenAPI URL')}
        </button>
      </dd>
      {workflow.crashes > 0 && (
        <>
          <dt>{trans.__('Crashes')}</dt>
          <dd>{workflow.crashes}</dd>
        </>
      )}
    </dl>
  );
}

function Host({ host }: { host: IHost }): React.JSX.Element {
  const { trans } = useServices();
  const calls =
    host.in_flight > 0 ? trans._n('%1 call running', '%1 calls running', host.in_flight) : '';
  return (
    <div className="jp-Coflows-host" title={trans.__('process %1', host.pid)}>
      <span className="jp-Coflows-dot" data-state={host.state} aria-hidden="true" />
      {[host.name, host.state, calls].filter(Boolean).join(' · ')}
    </div>
  );
}

/** Why nothing serves; the findings below say more where files are to blame. */
function Reasons({ workflow }: { workflow: IWorkflow }): React.JSX.Element | null {
  return workflow.reasons.length === 0 ? null : (
    <ul className="jp-Coflows-reasons">
      {workflow.reasons.map(reason => (
        <li key={reason}>{reason}</li>
      ))}
    </ul>
  );
}

/** The clock time, with the day unless it is today. */
function timeText(at: string): string {
  const date = new Date(at);
  const today = date.toDateString() === new Date().toDateString();
  return today
    ? date.toLocaleTimeString([], { hour: '2-digit', minute: '2-digit', second: '2-digit' })
    : date.toLocaleString([], { dateStyle: 'medium', timeStyle: 'short' });
}
