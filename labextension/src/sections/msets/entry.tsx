import { Button, closeIcon } from '@jupyterlab/ui-components';
import type { JSONValue } from '@lumino/coreutils';
import * as React from 'react';
import { useServices } from '../../components/context';
import { agoText } from '../../format';
import type { IMChange } from '../../rest';
import { CommandIDs } from '../../tokens';
import { ValueForm } from './form';
import type { IOpenEntry, SetModel } from './set';
import { isExact } from './value';

interface IEntryDetailsProps {
  set: SetModel;
  opened: IOpenEntry;
}

/** One entry: its value to edit, the way to remove it, and what happened to it. */
export function EntryDetails({ set, opened }: IEntryDetailsProps): React.JSX.Element {
  const { commands, trans } = useServices();
  const { entry, value, history } = opened;
  const node = React.useRef<HTMLElement>(null);
  React.useEffect(() => {
    node.current?.scrollIntoView({ block: 'nearest' });
  }, [value]);
  const close = () => void set.open(null);
  const label = trans.__('Close the entry');
  return (
    <section
      ref={node}
      className="jp-Coflows-entryDetails"
      aria-label={trans.__('Entry %1', entry)}
    >
      <header className="jp-Coflows-heading">
        <code>{entry}</code>
        <button
          type="button"
          className="jp-Coflows-icon"
          title={label}
          aria-label={label}
          onClick={close}
        >
          <closeIcon.react tag="span" />
        </button>
      </header>
      {value && !isExact(value.text) && (
        <>
          <pre tabIndex={0}>{value.text}</pre>
          <p className="jp-Coflows-muted">
            {trans.__(
              'It has a whole number with more digits than a browser keeps. Edit it with: %1',
              'coflows m set'
            )}
          </p>
        </>
      )}
      {value && isExact(value.text) && (
        <ValueForm
          key={value.tag}
          label={trans.__('Edit %1', entry)}
          accept={trans.__('Save')}
          before={JSON.parse(value.text) as JSONValue}
          others={set.entries.map(one => one.value)}
          onSave={async text => {
            await set.exchange(opened, text);
            await set.open(entry);
          }}
          onCancel={close}
        />
      )}
      <Button
        className="jp-mod-styled jp-Coflows-secondary"
        onClick={() => void commands.execute(CommandIDs.removeMEntry, { set: set.id.name, entry })}
      >
        {trans.__('Remove')}
      </Button>
      <h4>{trans.__('History')}</h4>
      <ul aria-label={trans.__('History')}>
        {history.map(change => (
          <HistoryRow key={change.seq} change={change} />
        ))}
      </ul>
    </section>
  );
}

function HistoryRow({ change }: { change: IMChange }): React.JSX.Element {
  const { trans } = useServices();
  const labels: Partial<Record<IMChange['op'], string>> = {
    add: trans.__('added'),
    exchange: trans.__('changed'),
    remove: trans.__('removed'),
    clear: trans.__('set cleared')
  };
  const text = change.op === 'clear' ? '' : JSON.stringify(change.value);
  return (
    <li className="jp-Coflows-historyRow">
      <span>{labels[change.op] ?? change.op}</span>{' '}
      <span className="jp-Coflows-muted">
        {change.actor} ·{' '}
        <time dateTime={change.at} title={new Date(change.at).toLocaleString()}>
          {agoText(change.at, Date.now())}
        </time>
      </span>
      <code title={text}>{text}</code>
    </li>
  );
}
