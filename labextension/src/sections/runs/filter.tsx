import { HTMLSelect } from '@jupyterlab/ui-components';
import * as React from 'react';
import { useServices } from '../../components/context';
import { outcomeLabels } from './text';

const PAUSE = 250;

/** Which runs are shown: by text, by outcome, by Query. */
export function RunFilter(): React.JSX.Element {
  const { model, runs, trans } = useServices();
  const labels = outcomeLabels(trans);
  const queries = model.catalog?.queries ?? [];
  return (
    <div className="jp-Coflows-runFilter">
      <TextFilter />
      <HTMLSelect
        aria-label={trans.__('Outcome')}
        value={runs.filter.outcome}
        onChange={event => runs.setFilter({ outcome: event.currentTarget.value })}
        options={[
          { value: '', label: trans.__('all outcomes') },
          ...Object.entries(labels).map(([value, label]) => ({ value, label }))
        ]}
      />
      <HTMLSelect
        aria-label={trans.__('Query')}
        value={runs.filter.query}
        onChange={event => runs.setFilter({ query: event.currentTarget.value })}
        options={[
          { value: '', label: trans.__('all Queries') },
          ...queries.map(({ id }) => ({ value: id, label: id }))
        ]}
      />
    </div>
  );
}

/** The server searches, so it is asked when typing pauses. */
function TextFilter(): React.JSX.Element {
  const { runs, trans } = useServices();
  const [typed, setTyped] = React.useState(runs.filter.text);
  React.useEffect(() => {
    const timer = setTimeout(() => {
      if (typed.trim() !== runs.filter.text) {
        runs.setFilter({ text: typed.trim() });
      }
    }, PAUSE);
    return () => clearTimeout(timer);
  }, [runs, typed]);
  return (
    <input
      type="search"
      className="jp-mod-styled"
      placeholder={trans.__('Filter by name, arguments, error')}
      aria-label={trans.__('Filter runs')}
      value={typed}
      onChange={event => setTyped(event.target.value)}
    />
  );
}
