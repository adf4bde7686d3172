import * as React from 'react';
import { useNow } from '../../components/activity';
import { useServices, useSignal } from '../../components/context';
import { walk } from '../../components/walk';
import type { IRun } from '../../rest';
import { RunDetails } from './details';
import { RunFilter } from './filter';
import { RunRow } from './row';

/** The Runs section: what was called, by whom, how it went; those that go on come first. */
export function RunsSection(): React.JSX.Element {
  const { model, runs, trans } = useServices();
  useSignal(runs.changed);
  if (!model.workflow || model.availability === 'signed-out') {
    return <p className="jp-Coflows-muted">{trans.__('Nothing has run yet.')}</p>;
  }
  const { text, outcome, query } = runs.filter;
  const filtered = [text, outcome, query].some(value => value !== '');
  return (
    <div className="jp-Coflows-runs">
      {(filtered || runs.runs.length > 0) && <RunFilter />}
      {runs.problem && (
        <p role="alert" className="jp-Coflows-banner">
          {runs.problem}
        </p>
      )}
      <RunList items={shown(runs.runs, runs.details?.run ?? null)} />
      {runs.known && runs.runs.length === 0 && (
        <p className="jp-Coflows-muted">
          {filtered ? trans.__('No run is like this.') : trans.__('Nothing has run yet.')}
        </p>
      )}
      {runs.more && (
        <button type="button" className="jp-Coflows-more" onClick={() => void runs.loadMore()}>
          {trans.__('Show older runs')}
        </button>
      )}
    </div>
  );
}

/** Rows that open their details; arrow keys walk from one to the next. */
function RunList({ items }: { items: readonly IRun[] }): React.JSX.Element {
  const { runs, trans } = useServices();
  const [current, setCurrent] = React.useState<string | null>(null);
  // Texts such as "3 min. ago" become old.
  useNow(10_000);
  const now = Date.now();
  const tabStop = items.find(({ id }) => id === current)?.id ?? items.at(0)?.id;

  return (
    <ul aria-label={trans.__('Runs')} onKeyDown={event => walk(event, '.jp-Coflows-run')}>
      {items.map(run => {
        const open = runs.details?.run.id === run.id ? runs.details : null;
        return (
          <li key={run.id} data-outcome={run.outcome}>
            <RunRow
              run={run}
              now={now}
              open={open !== null}
              tabStop={run.id === tabStop}
              onFocus={() => setCurrent(run.id)}
              onToggle={() => runs.open(open ? null : run)}
            />
            {open && <RunDetails details={open} />}
          </li>
        );
      })}
    </ul>
  );
}

/** What the details know is never older than the list. */
function shown(items: readonly IRun[], open: IRun | null): IRun[] {
  return items.map(run => (run.id === open?.id && open.outcome !== 'running' ? open : run));
}
