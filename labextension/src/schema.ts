import type { JSONObject, JSONValue, ReadonlyJSONObject } from '@lumino/coreutils';
import type { RJSFSchema, UiSchema as AnyUiSchema } from '@rjsf/utils';
import type { Arguments, IFieldError, IFunction, IParameter } from './rest';

/** What is in the form: a scalar in its own type, anything else as the JSON text being typed. */
export type Draft = Partial<Record<string, JSONValue>>;

type UiSchema = AnyUiSchema<ReadonlyJSONObject>;

export interface IForm {
  schema: RJSFSchema;
  uiSchema: UiSchema;
}

/** How a parameter is entered. */
interface IField {
  schema: JSONObject;
  /** The value is typed as JSON, because no simple input fits it. */
  json: boolean;
  /** `null` is a value of it. */
  nullable: boolean;
}

const SCALARS = new Set<unknown>(['string', 'integer', 'number', 'boolean']);

/** Make the form of a function's parameters, in their order. */
export function formOf(parameters: readonly IParameter[]): IForm {
  const properties: Record<string, RJSFSchema> = {};
  const uiSchema: UiSchema = {};
  for (const parameter of parameters) {
    const field = fieldOf(parameter);
    properties[parameter.name] = {
      ...(field.json ? { type: 'string' } : field.schema),
      // The form fills a default in again whenever its field is emptied, so it must not see one.
      default: undefined,
      title: parameter.name,
      description: parameter.description
    };
    uiSchema[parameter.name] = uiOf(parameter, field);
  }
  const required = parameters.filter(({ required }) => required).map(({ name }) => name);
  return { schema: { type: 'object', properties, required }, uiSchema };
}

/** What a parameter's type is called in the form. */
export function typeText(parameter: IParameter): string {
  const type = parameter.annotation || schemaTypeText(parameter.schema);
  switch (parameter.kind) {
    case 'var_positional':
      return type ? `list of ${type}` : 'list';
    case 'var_keyword':
      return type ? `object of ${type}` : 'object';
    default:
      return type;
  }
}

/** The first draft: every default filled in. Values of `previous` are kept where a parameter still has the name. */
export function draftOf(parameters: readonly IParameter[], previous: Draft = {}): Draft {
  const draft: Draft = {};
  for (const parameter of parameters) {
    draft[parameter.name] =
      parameter.name in previous ? previous[parameter.name] : defaultOf(parameter);
  }
  return draft;
}

/** The draft that gives these arguments. */
export function draftFrom(parameters: readonly IParameter[], values: Arguments): Draft {
  const given = parameters.filter(({ name }) => name in values);
  return Object.fromEntries(
    given.map(parameter => [parameter.name, entered(parameter, values[parameter.name] ?? null)])
  );
}

/**
 * Turn a draft into arguments by name. Empty fields are left out, so the function's own default applies.
 */
export function argumentsOf(
  parameters: readonly IParameter[],
  draft: Draft
): { values: Arguments; errors: IFieldError[] } {
  const values: Arguments = {};
  const errors: IFieldError[] = [];
  for (const parameter of parameters) {
    const field = fieldOf(parameter);
    const value = draft[parameter.name];
    if (value === undefined || (field.json && textIn(value).trim() === '')) {
      if (parameter.required && field.nullable) {
        values[parameter.name] = null;
      } else if (parameter.required) {
        errors.push({ field: parameter.name, message: 'A value is needed.' });
      }
    } else if (field.json) {
      const parsed = parse(textIn(value), field.schema);
      if (parsed === undefined) {
        errors.push({ field: parameter.name, message: 'This is not JSON.' });
      } else {
        values[parameter.name] = parsed;
      }
    } else {
      values[parameter.name] = value;
    }
  }
  return { values, errors };
}

/**
 * The body of a call: arguments by name, or by position where a `*args` parameter leaves no other way.
 */
export function bodyOf(target: IFunction, values: Arguments): JSONValue {
  const rest = target.parameters.find(({ kind }) => kind === 'var_positional');
  const further = rest && values[rest.name];
  if (Array.isArray(further) && further.length > 0) {
    const leading = target.parameters.filter(({ kind }) => kind === 'positional');
    return [...leading.map(parameter => values[parameter.name] ?? null), ...further];
  }
  const body: JSONObject = {};
  for (const { name, kind } of target.parameters) {
    const value = values[name];
    if (value !== undefined && kind === 'var_keyword') {
      Object.assign(body, value);
    } else if (value !== undefined && kind !== 'var_positional') {
      body[name] = value;
    }
  }
  return body;
}

function defaultOf(parameter: IParameter): JSONValue | undefined {
  if (!parameter.default) {
    return undefined;
  }
  return entered(parameter, JSON.parse(parameter.default) as JSONValue);
}

/** What is typed into a field for JSON. */
function textIn(value: JSONValue): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** How a value looks in the form. */
function entered(parameter: IParameter, value: JSONValue): JSONValue | undefined {
  if (value === null) {
    return undefined;
  }
  return fieldOf(parameter).json ? textIn(value) : value;
}

function fieldOf(parameter: IParameter): IField {
  if (parameter.kind === 'var_positional') {
    return { schema: { type: 'array' }, json: true, nullable: false };
  }
  if (parameter.kind === 'var_keyword') {
    return { schema: { type: 'object' }, json: true, nullable: false };
  }
  const { anyOf, ...own } = parameter.schema;
  const options = Array.isArray(anyOf) ? (anyOf as JSONObject[]) : [own];
  const typed = options.filter(({ type }) => type !== 'null');
  const schema = typed.length === 1 ? { ...own, ...typed[0] } : parameter.schema;
  const simple = SCALARS.has(schema.type) && !('contentEncoding' in schema);
  return { schema, json: !simple, nullable: typed.length < options.length };
}

function uiOf(parameter: IParameter, field: IField): UiSchema {
  const placeholder = parameter.required
    ? ''
    : parameter.default && parameter.default !== 'null'
      ? `default: ${parameter.default}`
      : 'optional';
  if (field.json) {
    return { 'ui:widget': 'textarea', 'ui:options': { rows: 2 }, 'ui:placeholder': placeholder };
  }
  if (field.schema.type === 'boolean') {
    // A checkbox has no third state for "not given".
    return field.nullable || parameter.default === ''
      ? { 'ui:widget': 'select' }
      : { 'ui:options': { label: false } };
  }
  return {
    // A date-time input would turn a local time into UTC.
    ...(field.schema.format === 'date-time' ? { 'ui:widget': 'text' } : {}),
    // An emptied text is an empty text where one is needed, and "not given" elsewhere.
    ...(field.schema.type === 'string' && parameter.required && !field.nullable
      ? { 'ui:emptyValue': '' }
      : {}),
    'ui:placeholder': placeholder
  };
}

/** Read JSON; text that is none stands for itself where the schema lets text pass. */
function parse(text: string, schema: JSONObject): JSONValue | undefined {
  try {
    return JSON.parse(text) as JSONValue;
  } catch {
    return acceptsText(schema) ? text : undefined;
  }
}

function acceptsText(schema: JSONObject): boolean {
  if (Array.isArray(schema.anyOf)) {
    return (schema.anyOf as JSONObject[]).some(acceptsText);
  }
  return 'type' in schema ? schema.type === 'string' : !('$ref' in schema);
}

function schemaTypeText(schema: JSONObject): string {
  if (Array.isArray(schema.anyOf)) {
    return (schema.anyOf as JSONObject[]).map(schemaTypeText).filter(Boolean).join(' | ');
  }
  return typeof schema.type === 'string' ? schema.type : '';
}
