import { Button, copyIcon, launchIcon, refreshIcon } from '@jupyterlab/ui-components';
import * as React from 'react';
import { Log } from '../../components/activity';
import { useServices } from '../../components/context';
import { openMenu } from '../../components/menu';
import { sizeText } from '../../format';
import { CommandIDs } from '../../tokens';
import type { IDetails } from './model';
import { outcomeLabels } from './text';

/** Everything about a run, and what can be done with it. */
export function RunDetails({ details }: { details: IDetails }): React.JSX.Element {
  const { trans } = useServices();
  const { run, activity } = details;
  const ended = run.outcome !== 'running';
  const status = run.status > 0 ? ` (${run.status})` : '';
  return (
    <div className="jp-Coflows-runDetails">
      {run.error && (
        <p className="jp-Coflows-runError" data-outcome={run.outcome}>
          {run.error}
        </p>
      )}
      <Actions details={details} />
      <h4>{trans.__('Arguments')}</h4>
      {run.arguments === null ? (
        <p className="jp-Coflows-muted">{trans.__('Too large to be kept.')}</p>
      ) : (
        <pre tabIndex={0}>{JSON.stringify(run.arguments, null, 2)}</pre>
      )}
      {activity.log && <h4>{trans.__('Log')}</h4>}
      <Log text={activity.log} />
      <dl className="jp-Coflows-facts">
        <dt>{trans.__('Outcome')}</dt>
        <dd>{outcomeLabels(trans)[run.outcome] + status}</dd>
        <dt>{trans.__('Started')}</dt>
        <dd>{new Date(run.started).toLocaleString()}</dd>
        {ended && (
          <>
            <dt>{trans.__('Result')}</dt>
            <dd>
              {sizeText(run.result_bytes)}
              {run.outcome === 'succeeded' && !run.kept && (
                <span className="jp-Coflows-muted"> {trans.__('(not kept)')}</span>
              )}
            </dd>
          </>
        )}
        <dt>{trans.__('Build')}</dt>
        <dd>
          <code>{run.build}</code>
        </dd>
        <dt>{trans.__('Run')}</dt>
        <dd>
          <code>{run.id}</code>
        </dd>
      </dl>
    </div>
  );
}

function Actions({ details: { run } }: { details: IDetails }): React.JSX.Element {
  const { commands, trans } = useServices();
  const args = { run: run.id };
  const secondary = 'jp-mod-styled jp-Coflows-secondary';
  return (
    <div className="jp-Coflows-actions">
      {run.outcome !== 'running' && (
        <Button
          className={secondary}
          disabled={run.arguments === null}
          onClick={() => void commands.execute(CommandIDs.runAgain, args)}
        >
          <refreshIcon.react tag="span" /> {trans.__('Run again')}
        </Button>
      )}
      {run.kept && run.outcome === 'succeeded' && (
        <Button
          className={secondary}
          onClick={() => void commands.execute(CommandIDs.openRunResult, args)}
        >
          <launchIcon.react tag="span" /> {trans.__('Open result')}
        </Button>
      )}
      <Button
        className={secondary}
        disabled={run.arguments === null}
        aria-haspopup="menu"
        title={trans.__('Copy the run as notebook cell or curl')}
        onClick={(event: React.MouseEvent<HTMLElement>) => {
          const { copyRunCell, copyRunCurl } = CommandIDs;
          openMenu(commands, event.currentTarget, [copyRunCell, copyRunCurl], args);
        }}
      >
        <copyIcon.react tag="span" /> {trans.__('Copy as')}
      </Button>
    </div>
  );
}
