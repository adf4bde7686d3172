import { HTMLSelect } from '@jupyterlab/ui-components';
import * as React from 'react';
import { useServices } from '../../components/context';

const DURATION = /^\d+d$/;

interface IExpiryProps {
  label: string;
  /** A duration in days (`90d`), a time in ISO 8601, or empty for never. */
  value: string;
  onChange: (value: string) => void;
}

/** When something ends: after a while, on a day, or never. */
export function Expiry({ label, value, onChange }: IExpiryProps): React.JSX.Element {
  const { trans } = useServices();
  const [asking, setAsking] = React.useState(false);
  const dated = asking || (value !== '' && !DURATION.test(value));
  const today = new Date().toISOString().slice(0, 10);
  return (
    <span className="jp-Coflows-expiry">
      <HTMLSelect
        aria-label={label}
        value={dated ? 'date' : value}
        onChange={event => {
          const chosen = event.currentTarget.value;
          setAsking(chosen === 'date');
          if (chosen !== 'date') {
            onChange(chosen);
          }
        }}
        options={[
          { value: '7d', label: trans.__('for a week') },
          { value: '30d', label: trans.__('for 30 days') },
          { value: '90d', label: trans.__('for 90 days') },
          { value: '365d', label: trans.__('for a year') },
          { value: 'date', label: trans.__('until a day…') },
          { value: '', label: trans.__('no end') }
        ]}
      />
      {dated && (
        <input
          type="date"
          className="jp-mod-styled"
          aria-label={trans.__('%1: day, in UTC', label)}
          min={today}
          defaultValue={DURATION.test(value) ? '' : value.slice(0, 10)}
          onChange={event => {
            // A year that is being typed begins as one of long ago.
            if (event.target.value >= today) {
              setAsking(false);
              onChange(event.target.value);
            }
          }}
        />
      )}
    </span>
  );
}
