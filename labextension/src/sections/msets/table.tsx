import * as React from 'react';
import { useServices } from '../../components/context';
import { walk } from '../../components/walk';
import { notifyFailure } from '../../notify';
import { cellText } from '../../result';
import type { IMEntry } from '../../rest';
import type { SetModel } from './set';
import { cellOf } from './value';

interface IEntryTableProps {
  set: SetModel;
  columns: readonly string[];
}

/** Entries as rows; the first cell of a row opens the entry, arrow keys walk through these. */
export function EntryTable({ set, columns }: IEntryTableProps): React.JSX.Element {
  const { trans } = useServices();
  const [current, setCurrent] = React.useState('');
  const stop = set.entries.find(({ entry }) => entry === current) ?? set.entries.at(0);
  const opened = set.opened?.entry;
  const toggle = React.useCallback(
    (entry: string) => {
      setCurrent(entry);
      set.open(set.opened?.entry === entry ? null : entry).catch(notifyFailure);
    },
    [set]
  );
  const label = trans.__('Entries of %1', set.id.name);
  return (
    <div className="jp-Coflows-table" role="region" aria-label={label}>
      <table>
        <thead>
          <tr>
            <th scope="col">{trans.__('ID')}</th>
            {columns.map(name => (
              <th key={name} scope="col" title={name} data-numeric={isNumeric(set.entries, name)}>
                {name || trans.__('value')}
              </th>
            ))}
          </tr>
        </thead>
        <tbody onKeyDown={event => walk(event, '.jp-Coflows-entry')}>
          {set.entries.map(entry => (
            <Row
              key={entry.entry}
              entry={entry}
              columns={columns}
              opened={entry.entry === opened}
              tabStop={entry === stop}
              onToggle={toggle}
            />
          ))}
        </tbody>
      </table>
    </div>
  );
}

interface IRowProps {
  entry: IMEntry;
  columns: readonly string[];
  opened: boolean;
  tabStop: boolean;
  onToggle: (entry: string) => void;
}

/** Drawn again only when the entry itself changed: a set may change many times a second. */
const Row = React.memo(function Row(props: IRowProps): React.JSX.Element {
  const { entry, columns, opened, tabStop, onToggle } = props;
  const cells = columns.map(column => cellOf(entry.value, column));
  return (
    <tr data-opened={opened}>
      <th scope="row">
        <button
          type="button"
          className="jp-Coflows-entry"
          aria-expanded={opened}
          tabIndex={tabStop ? 0 : -1}
          title={entry.entry}
          aria-label={entry.entry}
          onClick={() => onToggle(entry.entry)}
        >
          {shortId(entry.entry)}
        </button>
      </th>
      {cells.map((cell, index) => {
        const text = cell === undefined ? '' : cellText(cell);
        return (
          <td key={columns[index]} data-type={cell === null ? 'null' : typeof cell} title={text}>
            {text}
          </td>
        );
      })}
    </tr>
  );
}, isSame);

function isSame(before: IRowProps, after: IRowProps): boolean {
  return (
    before.entry === after.entry &&
    before.opened === after.opened &&
    before.tabStop === after.tabStop &&
    before.onToggle === after.onToggle &&
    before.columns.join('\n') === after.columns.join('\n')
  );
}

/** Numbers stand at the right, so their head does. */
function isNumeric(entries: readonly IMEntry[], column: string): boolean {
  return entries.every(({ value }) =>
    ['number', 'undefined'].includes(typeof cellOf(value, column))
  );
}

/** The end of a GUID, which is where those made one after the other differ. */
function shortId(id: string): string {
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(id) ? `…${id.slice(-6)}` : id;
}
