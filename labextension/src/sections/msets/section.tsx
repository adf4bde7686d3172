import * as React from 'react';
import { useServices, useSignal } from '../../components/context';
import { walk } from '../../components/walk';
import type { IMSet } from '../../rest';
import type { SetModel } from './set';
import { SetView } from './view';

/** The M sets section: the sets with their counts, and the one that is open with its entries. */
export function MSetsSection(): React.JSX.Element {
  const { msets, trans } = useServices();
  useSignal(msets.changed);
  const [current, setCurrent] = React.useState('');
  const shown = msets.shown?.id.name;
  const items = withShown(msets.sets, shown);
  const stop = items.find(({ id }) => id === current)?.id ?? items.at(0)?.id;
  return (
    <div className="jp-Coflows-msets">
      {msets.problem && (
        <p role="alert" className="jp-Coflows-banner">
          {msets.problem}
        </p>
      )}
      <ul aria-label={trans.__('M sets')} onKeyDown={event => walk(event, '.jp-Coflows-mset')}>
        {items.map(({ id, entries }) => (
          <li key={id}>
            <button
              type="button"
              className="jp-Coflows-mset"
              aria-expanded={id === shown}
              tabIndex={id === stop ? 0 : -1}
              onFocus={() => setCurrent(id)}
              onClick={() => msets.show(id === shown ? null : id)}
            >
              <span className="jp-Coflows-label">{id}</span>
              <span className="jp-Coflows-badge" title={trans.__('entries')}>
                {id === shown && msets.shown ? (
                  <LiveCount set={msets.shown} last={entries} />
                ) : (
                  entries
                )}
              </span>
            </button>
            {id === shown && msets.shown && <SetView set={msets.shown} />}
          </li>
        ))}
      </ul>
      {msets.known && items.length === 0 && (
        <p className="jp-Coflows-muted">
          {trans.__('No M set yet. One begins to exist with its first entry.')}
        </p>
      )}
    </div>
  );
}

/** Of the set that is open the count is known at once, where all of it is shown. */
function LiveCount({ set, last }: { set: SetModel; last: number }): React.JSX.Element {
  useSignal(set.changed);
  return <>{set.count ?? last}</>;
}

/** A new set is not in the list before it has an entry. */
function withShown(sets: readonly IMSet[], shown: string | undefined): readonly IMSet[] {
  return shown === undefined || sets.some(({ id }) => id === shown)
    ? sets
    : [...sets, { id: shown, entries: 0 }];
}
