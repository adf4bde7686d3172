import type { JSONObject, JSONValue } from '@lumino/coreutils';
import { Connection } from '../connection';
import { msetAsCell } from '../copy';
import { MSetsModel } from '../sections/msets/model';
import type { SetModel } from '../sections/msets/set';
import {
  applyChange,
  columnsOf,
  conditionText,
  emptyFields,
  filledFields,
  isExact,
  readFields
} from '../sections/msets/value';
import { CoflowsModel } from '../sections/workflow/model';
import type { IMChange, IMEntry } from '../rest';
import { FakeServer, json, makeWorkflow, until } from './fixtures';

const makeEntry = (entry: string, value: JSONValue): IMEntry => ({ entry, value, number: 1 });

function makeChange(
  op: IMChange['op'],
  seq: number,
  entry = '',
  value: JSONValue = null
): IMChange {
  return { op, seq, entry, value, actor: 'root', at: '2026-01-01T12:00:00.000+00:00' };
}

describe('applyChange', () => {
  const entries = [makeEntry('a', 1), makeEntry('b', 2)];
  const ids = (after: readonly IMEntry[]) => after.map(({ entry, value }) => [entry, value]);

  it.each<[IMChange, boolean, unknown]>([
    [
      makeChange('add', 1, 'c', 3),
      false,
      [
        ['a', 1],
        ['b', 2],
        ['c', 3]
      ]
    ],
    [
      makeChange('add', 1, 'c', 3),
      true,
      [
        ['a', 1],
        ['b', 2]
      ]
    ],
    [
      makeChange('add', 1, 'b', 4),
      false,
      [
        ['a', 1],
        ['b', 4]
      ]
    ],
    [
      makeChange('exchange', 1, 'a', 5),
      false,
      [
        ['a', 5],
        ['b', 2]
      ]
    ],
    [
      makeChange('exchange', 1, 'z', 5),
      false,
      [
        ['a', 1],
        ['b', 2]
      ]
    ],
    [makeChange('remove', 1, 'a', 1), false, [['b', 2]]],
    [makeChange('clear', 1), true, []]
  ])('%j', (change, more, expected) => {
    expect(ids(applyChange(entries, change, more))).toEqual(expected);
  });
});

describe('fields of a form', () => {
  it('are those of the entries, each of its kind', () => {
    const values = [{ name: 'a', n: 1, on: true, tags: [] }, { n: null, mixed: 1 }, { mixed: 'x' }];
    expect(columnsOf(values)).toEqual(['name', 'n', 'on', 'tags', 'mixed']);
    expect(emptyFields(values)?.map(({ kind }) => kind)).toEqual([
      'text',
      'number',
      'boolean',
      'json',
      'any'
    ]);
    expect(emptyFields([1])).toBeNull();
  });

  it.each<JSONObject>([
    { text: 'a', empty: '', like: '5', n: -1.5e-7, on: false, none: null, deep: { x: [1, '2'] } },
    { like: 'true' },
    {}
  ])('give back the value that they were filled with: %j', value => {
    const others = [{ like: 1, more: 'x', flag: true, count: 2, deep: 'flat' }];
    expect(readFields(filledFields(value, others), value)).toEqual(value);
    expect(readFields(filledFields(value, []), value)).toEqual(value);
  });

  it('leave out what a new value does not have, and say which is wrong', () => {
    expect(readFields(emptyFields([{ a: 'x', b: 1 }]) ?? [])).toEqual({});
    const wrong = [{ name: 'b', kind: 'number' as const, text: 'cheap' }];
    expect(() => readFields(wrong)).toThrow('b: cheap is no number');
  });
});

it.each<[string, boolean]>([
  ['{"n": 123456789012345}', true],
  ['{"n": 1234567890123456789}', false],
  ['[-1234567890123456789]', false],
  ['{"text": "1234567890123456789 \\" 1234567890123456789"}', true],
  ['[0.30000000000000004, 1.2345678901234567e+22]', true]
])('%s keeps its numbers in a browser: %s', (text, exact) => {
  expect(isExact(text)).toBe(exact);
  if (exact) {
    const value = JSON.parse(text) as JSONValue;
    expect(JSON.parse(JSON.stringify(value))).toEqual(value);
  }
});

it('sends lists of a condition as JSON', () => {
  expect(conditionText('in', 'a, 2')).toBe('["a",2]');
  expect(conditionText('in', '[1, 2]')).toBe('[1, 2]');
  expect(conditionText('eq', ' a, 2 ')).toBe('a, 2');
});

it('copies what is shown as a notebook cell', () => {
  const conditions = [
    { field: 'price', op: 'gte', value: '1' },
    { field: 'name', op: 'eq', value: 'it' },
    { field: 'my field', op: 'in', value: '[true]' }
  ];
  expect(msetAsCell('p', conditions).split('\n').at(-1)).toBe(
    'M.Base("p").where(price__gte=1, name="it", **{"my field__in": [True]})'
  );
  expect(msetAsCell('p', []).split('\n').at(-1)).toBe('M.Base("p").to_frame()');
});

describe('SetModel', () => {
  let server: FakeServer;
  let connection: Connection;
  let model: CoflowsModel;
  let msets: MSetsModel;
  let set: SetModel;
  let asked: string[];
  let entries: IMEntry[];

  const values = () => set.entries.map(({ value }) => value);
  const last = () => server.sockets[server.sockets.length - 1];

  beforeEach(async () => {
    asked = [];
    entries = [makeEntry('a', 1)];
    server = new FakeServer({
      'GET coflows/api/m': () => json({ sets: [{ id: 'p', entries: 1 }] }),
      'GET coflows/api/m/p': request => {
        asked.push(new URL(request.url).search);
        return json({ entries, seq: 7 });
      },
      'GET coflows/api/workflows': () => json({ workflows: [makeWorkflow('w1')] }),
      'GET coflows/api/workflows/w1': () => json(makeWorkflow('w1')),
      'GET coflows/api/workflows/w1/queries': () => json({ build: 'b1', queries: [] })
    });
    connection = new Connection(server.api);
    model = new CoflowsModel(server.api, connection);
    msets = new MSetsModel(server.api, model, connection);
    await model.refresh();
    msets.show('p');
    set = msets.shown!;
    expect(asked).toEqual([]);
    msets.active = true;
    await until(() => server.sockets.length > 0);
    last().send(makeChange('ready', 7));
    await until(() => set.live);
  });

  afterEach(() => {
    msets.dispose();
    model.dispose();
    connection.dispose();
  });

  it('is read once, follows changes, and goes on after the last one when the socket closed', async () => {
    expect(asked).toEqual(['?workflow=w1&limit=100&after=0']);
    last().send(makeChange('add', 8, 'b', 2));
    await until(() => set.entries.length === 2);
    const first = last();
    first.close();
    await until(() => last() !== first);
    expect(set.live).toBe(false);
    last().send(makeChange('exchange', 9, 'a', 3));
    await until(() => set.live);
    expect(values()).toEqual([3, 2]);
    expect(asked.filter(query => query.includes('limit=100'))).toHaveLength(1);
  });

  it('is read anew when the log does not go back far enough', async () => {
    entries = [makeEntry('c', 9)];
    last().send(makeChange('reset', 20));
    await until(() => values()[0] === 9);
  });

  it('lets the server decide what meets conditions', async () => {
    const first = last();
    set.conditions = [{ field: 'n', op: 'gt', value: '0' }];
    await until(() => last() !== first);
    expect(asked.at(-1)).toBe('?workflow=w1&n__gt=0&limit=100&after=0');
    entries = [];
    last().send(makeChange('exchange', 8, 'a', 0));
    await until(() => asked.length === 3);
    await until(() => set.entries.length === 0);
  });

  it('has every change of the open entry once, told before or after it was read', async () => {
    const [added, changed] = [makeChange('add', 3, 'a', 0), makeChange('exchange', 8, 'a', 1)];
    server.routes['GET coflows/api/m/p/a'] = () => json(1, { headers: { ETag: '"t"' } });
    server.routes['GET coflows/api/m/p/a/history'] = () => {
      last().send(changed);
      return json({ changes: [added] });
    };
    await set.open('a');
    last().send(changed);
    last().send(makeChange('exchange', 9, 'a', 2));
    await until(() => values()[0] === 2);
    expect(set.opened?.history.map(({ seq }) => seq)).toEqual([9, 8, 3]);
  });

  it('closes its socket when nobody looks', () => {
    msets.active = false;
    expect(set.active).toBe(false);
    expect(set.live).toBe(false);
  });
});
