import { caretDownIcon, caretUpIcon } from '@jupyterlab/ui-components';
import type { JSONValue } from '@lumino/coreutils';
import * as React from 'react';
import { cellText, sortRows, type ITable } from '../result';
import { useServices } from './context';

const PAGE = 200;

interface IOrder {
  column: number;
  descending: boolean;
}

/** A result as a table: its head stays in sight, a click on a column sorts, rows come in pages. */
export function ResultTable({ table }: { table: ITable }): React.JSX.Element {
  const { trans } = useServices();
  const [order, setOrder] = React.useState<IOrder | null>(null);
  const [limit, setLimit] = React.useState(PAGE);
  const rows = React.useMemo(
    () => (order ? sortRows(table.rows, order.column, order.descending) : table.rows),
    [table, order]
  );
  const numeric = React.useMemo(
    () => table.columns.map((_, column) => isNumeric(table.rows, column)),
    [table]
  );
  const sortBy = (column: number) =>
    setOrder(
      order?.column !== column
        ? { column, descending: false }
        : order.descending
          ? null
          : { column, descending: true }
    );
  return (
    <div className="jp-Coflows-table" tabIndex={0} role="region" aria-label={trans.__('Result')}>
      <table>
        <thead>
          <tr>
            {table.columns.map((name, column) => (
              <Head
                key={name}
                name={name}
                numeric={numeric[column]}
                order={order?.column === column ? order : null}
                onClick={() => sortBy(column)}
              />
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.slice(0, limit).map((row, index) => (
            <tr key={index}>
              {row.map((value, column) => (
                <Cell key={column} value={value} />
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      {rows.length > limit && (
        <button
          type="button"
          className="jp-Coflows-more"
          onClick={() => setLimit(current => current + PAGE)}
        >
          {trans.__('%1 of %2 rows. Show more', limit, rows.length)}
        </button>
      )}
    </div>
  );
}

function isNumeric(rows: JSONValue[][], column: number): boolean {
  return rows.every(row => row[column] === null || typeof row[column] === 'number');
}

interface IHeadProps {
  name: string;
  /** Numbers stand at the right, so their head does. */
  numeric: boolean;
  order: IOrder | null;
  onClick: () => void;
}

function Head({ name, numeric, order, onClick }: IHeadProps): React.JSX.Element {
  const Caret = order?.descending ? caretDownIcon : caretUpIcon;
  const sorted = order ? (order.descending ? 'descending' : 'ascending') : 'none';
  return (
    <th scope="col" aria-sort={sorted} data-numeric={numeric}>
      <button type="button" onClick={onClick} title={name}>
        {name}
        {order && <Caret.react tag="span" />}
      </button>
    </th>
  );
}

function Cell({ value }: { value: JSONValue }): React.JSX.Element {
  const text = cellText(value);
  return (
    <td data-type={value === null ? 'null' : typeof value} title={text}>
      {text}
    </td>
  );
}
