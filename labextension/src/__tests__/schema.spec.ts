import { argumentsOf, bodyOf, draftFrom, draftOf, formOf, typeText } from '../schema';
import { makeFunction, parameter } from './fixtures';

const INTEGER = { type: 'integer' };
const OPTIONAL_DATE = { anyOf: [{ type: 'string', format: 'date' }, { type: 'null' }] };
const LIST = { type: 'array', items: { type: 'string' } };

describe('formOf', () => {
  it('keeps the order and marks what is required', () => {
    const { schema } = formOf([
      parameter('y', { schema: INTEGER }),
      parameter('x', { schema: INTEGER, required: false, default: '1' })
    ]);
    expect(Object.keys(schema.properties ?? {})).toEqual(['y', 'x']);
    expect(schema.required).toEqual(['y']);
  });

  it('gives scalars their own input, with their rules', () => {
    const rules = { type: 'integer', minimum: 1 };
    const { schema } = formOf([parameter('n', { schema: rules, description: 'how many' })]);
    expect(schema.properties?.n).toMatchObject({ ...rules, title: 'n', description: 'how many' });
  });

  it('sees the scalar in an optional one', () => {
    const { schema } = formOf([parameter('day', { schema: OPTIONAL_DATE, required: false })]);
    expect(schema.properties?.day).toMatchObject({ type: 'string', format: 'date' });
  });

  it.each([
    ['nothing known', {}],
    ['a list', LIST],
    ['a union', { anyOf: [{ type: 'string' }, { type: 'integer' }] }],
    ['a reference', { $ref: '#/$defs/A', $defs: { A: { type: 'object' } } }]
  ])('takes JSON for %s', (_, schema) => {
    const form = formOf([parameter('value', { schema })]);
    expect(form.schema.properties?.value).toMatchObject({ type: 'string' });
    expect(form.uiSchema.value).toMatchObject({ 'ui:widget': 'textarea' });
  });

  it('lets a boolean without a default stay undecided', () => {
    const schema = { type: 'boolean' };
    const { uiSchema } = formOf([
      parameter('a', { schema }),
      parameter('b', { schema, required: false, default: 'true' })
    ]);
    expect(uiSchema.a).toMatchObject({ 'ui:widget': 'select' });
    expect(uiSchema.b).not.toHaveProperty('ui:widget');
  });
});

describe('draftOf', () => {
  it('fills defaults in and leaves None empty', () => {
    const parameters = [
      parameter('n', { schema: INTEGER, default: '3' }),
      parameter('day', { schema: OPTIONAL_DATE, default: 'null' }),
      parameter('names', { schema: LIST, default: '["a"]' })
    ];
    expect(draftOf(parameters)).toEqual({ n: 3, day: undefined, names: '["a"]' });
  });

  it('keeps what was typed when the function changes, and drops what it lost', () => {
    const draft = draftOf([parameter('kept'), parameter('fresh')], { kept: '1', lost: '2' });
    expect(draft).toEqual({ kept: '1', fresh: undefined });
  });
});

describe('argumentsOf', () => {
  it('reads JSON, and takes text for itself where text is allowed', () => {
    const parameters = [parameter('a'), parameter('b'), parameter('c', { schema: LIST })];
    const { values, errors } = argumentsOf(parameters, { a: '[1]', b: 'plain', c: '["x"]' });
    expect(values).toEqual({ a: [1], b: 'plain', c: ['x'] });
    expect(errors).toEqual([]);
  });

  it('names every field that does not fit', () => {
    const parameters = [parameter('a', { schema: INTEGER }), parameter('b', { schema: LIST })];
    const { errors } = argumentsOf(parameters, { b: '[1' });
    expect(errors.map(({ field }) => field)).toEqual(['a', 'b']);
  });

  it('leaves out what is empty, but gives a needed optional its null', () => {
    const parameters = [
      parameter('a', { schema: OPTIONAL_DATE, required: false }),
      parameter('b', { schema: OPTIONAL_DATE })
    ];
    expect(argumentsOf(parameters, {})).toEqual({ values: { b: null }, errors: [] });
  });

  it('gives back what draftFrom was given', () => {
    const parameters = [
      parameter('n', { schema: INTEGER }),
      parameter('any'),
      parameter('names', { schema: LIST })
    ];
    const values = { n: 1, any: { a: [true] }, names: ['x'] };
    expect(argumentsOf(parameters, draftFrom(parameters, values)).values).toEqual(values);
  });
});

describe('bodyOf', () => {
  const target = makeFunction('f', [
    parameter('x'),
    parameter('rest', { kind: 'var_positional', required: false }),
    parameter('more', { kind: 'var_keyword', required: false })
  ]);

  it('names arguments and spreads **kwargs', () => {
    expect(bodyOf(target, { x: 1, more: { y: 2 } })).toEqual({ x: 1, y: 2 });
  });

  it('goes by position for *args', () => {
    expect(bodyOf(target, { x: 1, rest: [2] })).toEqual([1, 2]);
  });
});

describe('typeText', () => {
  it('is the annotation, else what the schema says', () => {
    expect(typeText(parameter('x', { annotation: 'date | None' }))).toBe('date | None');
    expect(typeText(parameter('x', { schema: OPTIONAL_DATE }))).toBe('string | null');
    expect(typeText(parameter('x', { kind: 'var_positional' }))).toBe('list');
  });
});
