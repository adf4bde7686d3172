import type { JSONSchema7, JSONSchema7Definition } from 'json-schema';
import type { IPlace } from './place';

/** What may be written at a place. */
export interface ISuggestion {
  label: string;
  insert: string;
  /** Markdown. */
  documentation: string;
}

/** Suggest keys or values for a place in a file that a schema describes. */
export function suggest(root: JSONSchema7, place: IPlace): ISuggestion[] {
  const schema = schemaAt(root, place.path);
  if (!schema) {
    return [];
  }
  return place.kind === 'key' ? keys(root, schema, place) : values(schema, place);
}

/** The schema of what is at a path; null where nothing is known. */
export function schemaAt(root: JSONSchema7, path: IPlace['path']): JSONSchema7 | null {
  let here: JSONSchema7 | null = resolve(root, root);
  for (const step of path) {
    const inner: JSONSchema7Definition | undefined =
      typeof step === 'number'
        ? (here?.items as JSONSchema7 | undefined)
        : here?.properties?.[step];
    here = inner === undefined ? null : resolve(root, inner);
  }
  return here;
}

/** Follow references, and leave `null` out of a choice: in these files it means the same as nothing. */
function resolve(root: JSONSchema7, schema: JSONSchema7Definition): JSONSchema7 | null {
  if (typeof schema === 'boolean') {
    return null;
  }
  const { $ref, anyOf, ...own } = schema;
  if ($ref !== undefined) {
    const definitions = root as { $defs?: Record<string, JSONSchema7> };
    const named = definitions.$defs?.[$ref.replace('#/$defs/', '')];
    return named ? { ...named, ...own } : null;
  }
  const choice = anyOf?.find(item => typeof item === 'object' && item.type !== 'null');
  const chosen = choice === undefined ? {} : resolve(root, choice);
  return chosen && { ...chosen, ...own };
}

function keys(root: JSONSchema7, schema: JSONSchema7, place: IPlace): ISuggestion[] {
  const open = place.quoted ? '' : '"';
  return Object.entries(schema.properties ?? {}).flatMap(([name, definition]) => {
    const inner = resolve(root, definition);
    if (!inner || place.siblings.includes(name)) {
      return [];
    }
    const value = place.followed ? '' : `: ${initial(inner)}`;
    return [{ label: name, insert: `${open}${name}"${value}`, documentation: explain(inner) }];
  });
}

function values(schema: JSONSchema7, place: IPlace): ISuggestion[] {
  const given = schema.type === 'boolean' ? [true, false] : (schema.enum ?? schema.examples ?? []);
  const some = schema.default === undefined ? [] : [schema.default];
  const all = [...new Set([...(given as unknown[]), ...some])].filter(value => value !== '');
  const section = all.length === 0 && !place.quoted ? [initial(schema)].filter(isSection) : [];
  return [
    ...all
      .map(value => JSON.stringify(value))
      .filter(text => !place.quoted || text.startsWith('"'))
      .map(text => ({
        label: text.replace(/^"|"$/g, ''),
        insert: place.quoted ? text.slice(1) : text,
        documentation: explain(schema)
      })),
    ...section.map(text => ({ label: text, insert: text, documentation: explain(schema) }))
  ];
}

function isSection(text: string): boolean {
  return text === '{}' || text === '[]';
}

/** What a new key starts with. */
function initial(schema: JSONSchema7): string {
  const known: unknown = schema.default ?? (schema.examples as unknown[] | undefined)?.[0];
  if (known !== undefined && known !== '') {
    return JSON.stringify(known);
  }
  return { object: '{}', array: '[]', boolean: 'true' }[String(schema.type)] ?? '""';
}

function explain({ title, description, enum: choices, default: value }: JSONSchema7): string {
  const code = (item: unknown) => `\`${JSON.stringify(item)}\``;
  return [
    title,
    description,
    choices?.map(code).join(' · '),
    value !== undefined && value !== '' && `default: ${code(value)}`
  ]
    .filter(Boolean)
    .join('\n\n');
}
