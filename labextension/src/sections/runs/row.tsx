import * as React from 'react';
import { ProgressBar, useNow } from '../../components/activity';
import { useServices } from '../../components/context';
import { Sign } from '../../components/sign';
import { agoText, durationText } from '../../format';
import type { IRun } from '../../rest';
import { CommandIDs } from '../../tokens';
import { outcomeLabels } from './text';

export interface IRunRowProps {
  run: IRun;
  /** As `Date.now()` counts. */
  now: number;
  open: boolean;
  /** Whether Tab reaches it; arrow keys reach the others. */
  tabStop: boolean;
  onFocus: () => void;
  onToggle: () => void;
}

/** A run on two lines; as long as it goes on, with its bar and a button that ends it. */
export function RunRow(props: IRunRowProps): React.JSX.Element {
  const { run, now, open, tabStop, onFocus, onToggle } = props;
  const { runs, trans } = useServices();
  const label = outcomeLabels(trans)[run.outcome];
  return (
    <>
      <button
        type="button"
        className="jp-Coflows-run"
        aria-expanded={open}
        tabIndex={tabStop ? 0 : -1}
        onClick={onToggle}
        onFocus={onFocus}
      >
        <Sign outcome={run.outcome} label={label} />
        <span className="jp-Coflows-label" title={`${run.query}.${run.function}`}>
          {run.query}.{run.function}
        </span>
        <span className="jp-Coflows-took">
          {run.outcome === 'running' ? '' : durationText(run.seconds)}
        </span>
        <span className="jp-Coflows-by">
          {[run.caller === runs.me ? trans.__('you') : run.caller, run.door].join(' · ')}
          {' · '}
          <time dateTime={run.started} title={new Date(run.started).toLocaleString()}>
            {agoText(run.started, now)}
          </time>
        </span>
      </button>
      {run.outcome === 'running' && <Running run={run} />}
    </>
  );
}

function Running({ run }: { run: IRun }): React.JSX.Element {
  const { commands, runs, trans } = useServices();
  // The run says how old it was when it was asked for; this page's clock says how long ago that is.
  const [asked, setAsked] = React.useState({ run, at: performance.now() });
  if (asked.run.seconds !== run.seconds) {
    setAsked({ run, at: performance.now() });
  }
  const elapsed = asked.run.seconds + Math.max(0, useNow() - asked.at) / 1000;
  const stopping = runs.isStopping(run.id);
  return (
    <div className="jp-Coflows-running">
      <ProgressBar progress={run.progress} elapsed={elapsed} />
      <button
        type="button"
        className="jp-Coflows-link"
        disabled={stopping}
        aria-label={trans.__('Cancel %1', `${run.query}.${run.function}`)}
        onClick={() => void commands.execute(CommandIDs.cancelRun, { run: run.id })}
      >
        {stopping ? trans.__('Cancelling…') : trans.__('Cancel')}
      </button>
    </div>
  );
}
