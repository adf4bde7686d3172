import type { JSONObject, JSONValue } from '@lumino/coreutils';
import type { Arguments, ICondition, IFunction, IParameter, IQuery, IRun } from './rest';

const PLAIN_WORD = /^[\w@%+=:,./-]+$/;
const LOAD = '%load_ext coflows_jupyter';
const LITERALS = new Set<unknown>(['integer', 'number', 'boolean']);
const IDENTIFIER = /^[\p{L}_][\p{L}\p{N}_]*$/u;

/** Quote a word for a POSIX shell. */
export function shellQuote(word: string): string {
  return PLAIN_WORD.test(word) ? word : quoted(word);
}

/** What meets the conditions as a notebook cell. */
export function msetAsCell(name: string, conditions: readonly ICondition[]): string {
  const words = conditions.map(({ field, op, value }) => {
    const key = op === 'eq' ? field : `${field}__${op}`;
    const literal = pythonLiteral(readJson(value));
    return IDENTIFIER.test(key) ? `${key}=${literal}` : `**{${pythonLiteral(key)}: ${literal}}`;
  });
  const set = `M.Base(${pythonLiteral(name)})`;
  const cell = words.length > 0 ? `${set}.where(${words.join(', ')})` : `${set}.to_frame()`;
  return [LOAD, 'from coflows_jupyter import M', '', cell].join('\n');
}

/** A GET as a curl command. */
export function getAsCurl(address: string): string {
  return `curl -H "x-api-key: $(coflows key show)" ${quoted(address)}`;
}

/** Read a text as the server reads one in a URL: JSON if it is, else the text. */
export function readJson(text: string): JSONValue {
  try {
    return JSON.parse(text) as JSONValue;
  } catch {
    return text;
  }
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
export function asCurl(address: string, body: JSONValue): string {
  return [
    'curl -H "x-api-key: $(coflows key show)"',
    "-H 'Content-Type: application/json'",
    `-d ${quoted(JSON.stringify(body))}`,
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
  return `${LOAD}\n${pythonCall(query.id, target.name, words)}`;
}

/**
 * A run as a notebook cell that makes the same call.
 *
 * @param target - the function as it is now; null when it has left the Build.
 */
export function asCell(run: IRun, target: IFunction | null): string {
  const values = givenArguments(run.arguments, target);
  const words: string[] = [];
  if (Array.isArray(values)) {
    words.push(...values.map(pythonLiteral));
  } else if (isWhole(values, target)) {
    words.push(pythonLiteral(values));
  } else {
    const named = Object.entries(values as JSONObject);
    const plain = named.filter(([name]) => IDENTIFIER.test(name));
    const others = named.filter(([name]) => !IDENTIFIER.test(name));
    words.push(...plain.map(([name, value]) => `${name}=${pythonLiteral(value)}`));
    if (others.length > 0) {
      words.push(`**${pythonLiteral(Object.fromEntries(others))}`);
    }
  }
  const origin = `# Run ${run.id} of ${run.started}, Build ${run.build}`;
  return [LOAD, origin, pythonCall(run.query, run.function, words)].join('\n');
}

/**
 * Arguments of a run in the types that its function wants: those of an URL are all text.
 *
 * @param target - the function as it is now; null when it has left the Build.
 */
export function givenArguments(values: JSONValue, target: IFunction | null): JSONValue {
  const parameters = target?.parameters ?? [];
  if (Array.isArray(values)) {
    const rest = parameters.find(({ kind }) => kind === 'var_positional');
    return values.map((value, index) => typed(value, parameters.at(index) ?? rest));
  }
  if (typeof values === 'object' && values !== null && !isWhole(values, target)) {
    return Object.fromEntries(
      Object.entries(values).map(([name, value]) => [
        name,
        typed(
          value,
          parameters.find(parameter => parameter.name === name)
        )
      ])
    );
  }
  return values;
}

/** Whether a body was no arguments but the value of the only parameter. */
function isWhole(values: JSONValue, target: IFunction | null): boolean {
  if (typeof values !== 'object' || values === null) {
    return true;
  }
  const [only, ...others] = target?.parameters ?? [];
  return (
    (only as IParameter | undefined)?.kind === 'positional' &&
    others.length === 0 &&
    Object.keys(values).length > 0 &&
    !(only.name in values)
  );
}

/** Read a text as the number or truth value that a parameter wants. */
function typed(value: JSONValue, parameter: IParameter | undefined): JSONValue {
  if (typeof value !== 'string' || !LITERALS.has(parameter?.schema.type)) {
    return value;
  }
  try {
    return JSON.parse(value) as JSONValue;
  } catch {
    return value;
  }
}

function pythonCall(query: string, name: string, words: string[]): string {
  const object = IDENTIFIER.test(query) ? `query.${query}` : `query[${pythonLiteral(query)}]`;
  return `${object}.${name}(${words.join(', ')})`;
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
