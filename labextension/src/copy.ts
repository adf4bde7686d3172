import type { JSONObject, JSONValue } from '@lumino/coreutils';
import { bodyOf } from './schema';
import type { Arguments, IFunction, IParameter, IQuery } from './tokens';

const PLAIN_WORD = /^[\w@%+=:,./-]+$/;
const IDENTIFIER = /^[\p{L}_][\p{L}\p{N}_]*$/u;

/** Quote a word for a POSIX shell. */
export function shellQuote(word: string): string {
  return PLAIN_WORD.test(word) ? word : quoted(word);
}

function quoted(word: string): string {
  return `'${word.replaceAll("'", `'"'"'`)}'`;
}

/** Spell a JSON value as Python does. */
export function pythonLiteral(value: JSONValue): string {
  if (value === null) {
    return 'None';
  }
  if (typeof value === 'boolean') {
    return value ? 'True' : 'False';
  }
  if (Array.isArray(value)) {
    return `[${value.map(pythonLiteral).join(', ')}]`;
  }
  if (typeof value === 'object') {
    const items = Object.entries(value).map(
      ([key, item]) => `${pythonLiteral(key)}: ${pythonLiteral(item ?? null)}`
    );
    return `{${items.join(', ')}}`;
  }
  // A JSON string or number means the same in Python.
  return JSON.stringify(value);
}

/** The call as a curl command; the key comes from the command line tool and is never shown. */
export function asCurl(address: string, target: IFunction, values: Arguments): string {
  return [
    'curl -H "x-api-key: $(coflows key show)"',
    "-H 'Content-Type: application/json'",
    `-d ${quoted(JSON.stringify(bodyOf(target, values)))}`,
    quoted(address)
  ].join(' ');
}

/** The call as a `coflows` command, whose arguments have an order and no names. */
export function asCommand(query: IQuery, target: IFunction, values: Arguments): string {
  const given = target.parameters.map(({ name }) => values[name] !== undefined);
  const words = target.parameters
    .slice(0, given.lastIndexOf(true) + 1)
    .flatMap(parameter => argumentTexts(parameter, values[parameter.name]));
  // What looks like an option would be taken for one; a negative number would not.
  const guard = words.some(word => /^-\D/.test(word)) ? ['--'] : [];
  return ['coflows', 'local', 'query', query.id, target.name, ...guard, ...words]
    .map(shellQuote)
    .join(' ');
}

/** The call as a notebook cell. */
export function asPython(query: IQuery, target: IFunction, values: Arguments): string {
  const words: string[] = [];
  for (const { name, kind } of target.parameters) {
    const value = values[name];
    if (value === undefined) {
      continue;
    }
    if (kind === 'var_positional') {
      words.push(...(value as JSONValue[]).map(pythonLiteral));
    } else if (kind === 'var_keyword') {
      const named = Object.entries(value as JSONObject);
      words.push(...named.map(([key, item]) => `${key}=${pythonLiteral(item)}`));
    } else {
      words.push(`${name}=${pythonLiteral(value)}`);
    }
  }
  const object = IDENTIFIER.test(query.id)
    ? `query.${query.id}`
    : `query[${pythonLiteral(query.id)}]`;
  return `%load_ext coflows_jupyter\n${object}.${target.name}(${words.join(', ')})`;
}

/** A parameter's words on the command line; one that is left out before others gives its default. */
function argumentTexts(parameter: IParameter, value: JSONValue | undefined): string[] {
  if (value === undefined) {
    return parameter.default ? [argumentText(JSON.parse(parameter.default) as JSONValue)] : [];
  }
  switch (parameter.kind) {
    case 'var_positional':
      return (value as JSONValue[]).map(argumentText);
    case 'var_keyword':
      return Object.values(value as JSONObject).map(argumentText);
    default:
      return [argumentText(value)];
  }
}

function argumentText(value: JSONValue): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
