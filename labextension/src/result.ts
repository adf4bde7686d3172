import type { JSONObject, JSONValue } from '@lumino/coreutils';
import type { IAnswer } from './rest';

export interface ITable {
  columns: string[];
  rows: JSONValue[][];
}

/** A result, read once, with every form it can be shown in. */
export interface IResult {
  table: ITable | null;
  /** The value, where the answer was JSON. */
  json?: JSONValue;
  text: string | null;
  /** Anything that is no text: offered as a file. */
  file: Blob | null;
}

export type View = 'table' | 'json' | 'text' | 'file';

/** Read the body of an answer according to its media type. */
export async function readAnswer(answer: IAnswer): Promise<IResult> {
  const type = answer.contentType.split(';', 1)[0].trim().toLowerCase();
  const result: IResult = { table: null, text: null, file: null };
  if (type === 'application/json' || type.endsWith('+json')) {
    const text = await answer.body.text();
    const json = JSON.parse(text) as JSONValue;
    return { ...result, json, table: tableOf(json), text: textOf(json) };
  }
  if (type === 'application/x-ndjson') {
    const text = await answer.body.text();
    const lines = text.split('\n').filter(line => line.trim() !== '');
    const json = lines.map(line => JSON.parse(line) as JSONValue);
    return { ...result, json, table: tableOf(json), text };
  }
  if (type.startsWith('text/')) {
    return { ...result, text: await answer.body.text() };
  }
  return { ...result, file: answer.body };
}

/** The views of a result, the best first. */
export function viewsOf(result: IResult): View[] {
  const views: View[] = [];
  if (result.table) {
    views.push('table');
  }
  if (isContainer(result.json)) {
    views.push('json');
  }
  if (result.text !== null) {
    views.push('text');
  }
  return result.file ? ['file'] : views;
}

/**
 * See a table in a value: rows as objects or lists, columns as lists, or one object of scalars.
 *
 * @returns null when the value has no such shape.
 */
export function tableOf(value: JSONValue): ITable | null {
  if (Array.isArray(value)) {
    return value.length === 0
      ? null
      : value.every(isObject)
        ? fromObjects(value)
        : value.every(item => Array.isArray(item))
          ? fromLists(value)
          : null;
  }
  if (!isObject(value) || Object.keys(value).length === 0) {
    return null;
  }
  const items = Object.values(value);
  if (items.every(isScalar)) {
    return { columns: ['name', 'value'], rows: Object.entries(value) };
  }
  if (items.every(item => Array.isArray(item) && item.every(isScalar))) {
    return fromColumns(value as Record<string, JSONValue[]>);
  }
  return null;
}

/** Show a cell: scalars as they are, anything else as JSON. */
export function cellText(value: JSONValue): string {
  return value === null ? '' : typeof value === 'string' ? value : JSON.stringify(value);
}

/** Order rows by a column: numbers by size, the rest as a person would; nulls last. */
export function sortRows(
  rows: readonly JSONValue[][],
  column: number,
  descending: boolean
): JSONValue[][] {
  const sign = descending ? -1 : 1;
  return [...rows].sort((left, right) => {
    const [a, b] = [left[column], right[column]];
    if (a === null || b === null) {
      return Number(a === null) - Number(b === null);
    }
    const order =
      typeof a === 'number' && typeof b === 'number'
        ? a - b
        : cellText(a).localeCompare(cellText(b), undefined, { numeric: true });
    return sign * order;
  });
}

function fromObjects(items: JSONObject[]): ITable | null {
  const columns = [...new Set(items.flatMap(item => Object.keys(item)))];
  return columns.length === 0
    ? null
    : { columns, rows: items.map(item => columns.map(column => item[column] ?? null)) };
}

function fromLists(items: JSONValue[][]): ITable | null {
  const width = items.reduce((most, item) => Math.max(most, item.length), 0);
  const columns = Array.from({ length: width }, (_, index) => String(index));
  return width === 0
    ? null
    : { columns, rows: items.map(item => columns.map((_, index) => item[index] ?? null)) };
}

function fromColumns(lists: Record<string, JSONValue[]>): ITable | null {
  const columns = Object.keys(lists);
  const height = lists[columns[0]].length;
  return height === 0 || columns.some(column => lists[column].length !== height)
    ? null
    : {
        columns,
        rows: lists[columns[0]].map((_, index) => columns.map(column => lists[column][index]))
      };
}

function textOf(json: JSONValue): string {
  return typeof json === 'string' ? json : JSON.stringify(json, null, 2);
}

function isObject(value: JSONValue): value is JSONObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isScalar(value: JSONValue | undefined): boolean {
  return typeof value !== 'object' || value === null;
}

function isContainer(value: JSONValue | undefined): boolean {
  return typeof value === 'object' && value !== null;
}
