import type { JSONObject, JSONValue } from '@lumino/coreutils';
import { readJson } from '../../copy';
import type { IMChange, IMEntry } from '../../rest';

/** How a field is typed in: as text, number or choice, as whichever it looks like, or as JSON. */
export type FieldKind = 'text' | 'number' | 'boolean' | 'any' | 'json';

/** A field of a form. */
export interface IField {
  name: string;
  kind: FieldKind;
  text: string;
}

/** Operators of conditions, as the server knows them. */
export const OPERATORS = [
  'eq',
  'ne',
  'gt',
  'gte',
  'lt',
  'lte',
  'contains',
  'startswith',
  'in'
] as const;

/** A condition's value as it is sent; a list may be typed with commas. */
export function conditionText(op: string, typed: string): string {
  const text = typed.trim();
  if (op !== 'in' || Array.isArray(readJson(text))) {
    return text;
  }
  return JSON.stringify(text.split(',').map(word => readJson(word.trim())));
}

/**
 * Make a change to entries as they are shown.
 *
 * @param more - whether others follow them, where new ones belong.
 */
export function applyChange(
  entries: readonly IMEntry[],
  { op, entry, value }: IMChange,
  more: boolean
): readonly IMEntry[] {
  switch (op) {
    case 'clear':
      return [];
    case 'remove':
      return entries.filter(one => one.entry !== entry);
    default:
      return entries.some(one => one.entry === entry)
        ? entries.map(one => (one.entry === entry ? { ...one, value } : one))
        : op === 'add' && !more
          ? [...entries, { entry, value, number: 0 }]
          : entries;
  }
}

/** The columns of a table of values: every field, in the order of appearance; an empty name for what has none. */
export function columnsOf(values: readonly JSONValue[]): string[] {
  const names = new Set<string>();
  for (const value of values) {
    for (const name of isObject(value) ? Object.keys(value) : ['']) {
      names.add(name);
    }
  }
  return [...names];
}

/** What a value has in a column. */
export function cellOf(value: JSONValue, column: string): JSONValue | undefined {
  if (!isObject(value)) {
    return column === '' ? value : undefined;
  }
  return value[column];
}

/**
 * The fields that a form for one of these values has, empty.
 *
 * @returns null when they are no objects, so that only JSON says what they are.
 */
export function emptyFields(values: readonly JSONValue[]): IField[] | null {
  if (!values.every(isObject)) {
    return null;
  }
  return columnsOf(values).map(name => {
    const kinds = new Set(
      values.flatMap(value => {
        const found = cellOf(value, name) ?? null;
        return found === null ? [] : [kindOf(found)];
      })
    );
    const [kind = 'any', ...others] = kinds;
    return { name, kind: others.length > 0 ? 'any' : kind, text: '' };
  });
}

/** The fields of a value, filled. */
export function filledFields(value: JSONObject, others: readonly JSONValue[]): IField[] {
  return (emptyFields([value, ...others.filter(isObject)]) ?? []).map(field => {
    const found = cellOf(value, field.name) ?? null;
    if (found === null) {
      return field;
    }
    const kind = kindOf(found) === 'json' ? 'json' : field.kind;
    return { ...field, kind, text: textOf(found, kind) };
  });
}

/**
 * Read what was typed into the fields.
 *
 * @param before - what an edited value was; a field left empty that it does not have stays away.
 * @throws SyntaxError naming the field that is no JSON.
 */
export function readFields(fields: readonly IField[], before: JSONObject = {}): JSONObject {
  const value: JSONObject = {};
  for (const { name, kind, text } of fields) {
    if (text.trim() === '' && kind !== 'text') {
      if (name in before) {
        value[name] = null;
      }
    } else if (text === '' && typeof before[name] !== 'string') {
      if (name in before) {
        value[name] = null;
      }
    } else {
      value[name] = readField(name, kind, text);
    }
  }
  return value;
}

/** Whether a browser keeps every whole number of a JSON text: those of up to 15 digits for certain. */
export function isExact(text: string): boolean {
  return !/(?<![\d.eE+-])-?\d{16,}(?![\d.eE])/.test(text.replace(/"(?:\\.|[^"\\])*"/g, '""'));
}

export function isObject(value: JSONValue): value is JSONObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function readField(name: string, kind: FieldKind, text: string): JSONValue {
  switch (kind) {
    case 'text':
      return text;
    case 'any':
      return readJson(text);
    default:
      try {
        return JSON.parse(text) as JSONValue;
      } catch {
        throw new SyntaxError(`${name}: ${text} is no ${kind === 'json' ? 'JSON' : kind}`);
      }
  }
}

function kindOf(value: JSONValue): FieldKind {
  switch (typeof value) {
    case 'string':
      return 'text';
    case 'number':
      return 'number';
    case 'boolean':
      return 'boolean';
    default:
      return 'json';
  }
}

/** A value as it would be typed, so that reading it gives the value again. */
function textOf(value: JSONValue, kind: FieldKind): string {
  if (typeof value !== 'string') {
    return JSON.stringify(value, null, kind === 'json' ? 2 : 0);
  }
  return kind === 'any' && readJson(value) !== value ? JSON.stringify(value) : value;
}
