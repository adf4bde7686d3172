import type { JSONSchema7 } from 'json-schema';
import { placeAt } from '../editor/place';
import { suggest } from '../editor/suggest';

const SCHEMA = {
  type: 'object',
  properties: {
    Server: { $ref: '#/$defs/Server' },
    Cloud: { anyOf: [{ $ref: '#/$defs/Server' }, { type: 'null' }], title: 'the other server' },
    Watch: {
      enum: ['auto', 'on'],
      default: 'auto',
      type: 'string',
      title: 'whether a save builds'
    },
    Lists: { type: 'array', items: { $ref: '#/$defs/Server' } }
  },
  $defs: {
    Server: {
      type: 'object',
      properties: {
        Port: { type: 'integer', default: 8888 },
        Key: { type: 'string' },
        SSL: { type: 'boolean', default: true }
      }
    }
  }
} as JSONSchema7;

function at(text: string) {
  const place = placeAt(text.replace('|', ''), text.indexOf('|'));
  return place ? suggest(SCHEMA, place) : [];
}

describe('suggest', () => {
  it('offers the keys that are missing, with what they start with', () => {
    expect(at('{"Server": {"Port": 1, |}}').map(({ insert }) => insert)).toEqual([
      '"Key": ""',
      '"SSL": true'
    ]);
  });

  it('closes a quote that is open, and leaves a value that is there', () => {
    expect(at('{"Wa|')[2]).toMatchObject({ label: 'Watch', insert: 'Watch": "auto"' });
    expect(at('{"Wa|": "on"}')[2]).toMatchObject({ label: 'Watch', insert: 'Watch"' });
  });

  it.each([
    ['{"Watch": |}', ['"auto"', '"on"']],
    ['{"Watch": "|"}', ['auto"', 'on"']],
    ['{"Cloud": {"SSL": |}}', ['true', 'false']],
    ['{"Lists": [{"Port": |}]}', ['8888']],
    ['{"Server": |}', ['{}']],
    ['{"Nothing": |}', []],
    ['{"Nothing": {|}}', []]
  ])('offers values for %s', (text, inserts) => {
    expect(at(text).map(({ insert }) => insert)).toEqual(inserts);
  });

  it('explains what a key is for and what it takes', () => {
    expect(at('{|}')[2].documentation).toBe(
      'whether a save builds\n\n`"auto"` · `"on"`\n\ndefault: `"auto"`'
    );
    expect(at('{|}')[1].documentation).toContain('the other server');
  });
});
