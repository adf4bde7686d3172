import { cellText, readAnswer, sortRows, tableOf, viewsOf } from '../result';

async function read(text: string, contentType: string) {
  const body = await new Response(text).blob();
  return readAnswer({ contentType, body, runId: '', seconds: 0 });
}

describe('tableOf', () => {
  it('sees rows in a list of objects, with every column that any of them has', () => {
    expect(tableOf([{ a: 1 }, { b: 'x', a: 2 }])).toEqual({
      columns: ['a', 'b'],
      rows: [
        [1, null],
        [2, 'x']
      ]
    });
  });

  it('sees rows in a list of lists', () => {
    expect(tableOf([[1, 2], [3]])).toEqual({
      columns: ['0', '1'],
      rows: [
        [1, 2],
        [3, null]
      ]
    });
  });

  it('sees columns in an object of lists of one length', () => {
    expect(tableOf({ a: [1, 2], b: ['x', 'y'] })).toEqual({
      columns: ['a', 'b'],
      rows: [
        [1, 'x'],
        [2, 'y']
      ]
    });
    expect(tableOf({ a: [1, 2], b: ['x'] })).toBeNull();
  });

  it('sees names and values in an object of scalars', () => {
    expect(tableOf({ total: 1.5, note: null })?.rows).toEqual([
      ['total', 1.5],
      ['note', null]
    ]);
  });

  it.each([
    [1],
    ['text'],
    [null],
    [[]],
    [{}],
    [[1, 2]],
    [[{}]],
    [{ a: { b: 1 } }],
    [[1, { a: 1 }]]
  ])('sees none in %j', value => {
    expect(tableOf(value)).toBeNull();
  });
});

describe('readAnswer', () => {
  it.each([
    ['[{"a":1}]', 'application/json', ['table', 'json', 'text']],
    ['{"a":{"b":1}}', 'application/json; charset=utf-8', ['json', 'text']],
    ['3', 'application/json', ['text']],
    ['null', 'application/json', ['text']],
    ['{"a":1}\n{"a":2}\n', 'application/x-ndjson', ['table', 'json', 'text']],
    ['plain', 'text/plain; charset=utf-8', ['text']],
    ['bytes', 'application/octet-stream', ['file']]
  ])('offers %s of %s as %j', async (body, contentType, views) => {
    expect(viewsOf(await read(body, contentType))).toEqual(views);
  });

  it('shows a text result without its quotes', async () => {
    expect((await read('"a\\nb"', 'application/json')).text).toBe('a\nb');
  });
});

describe('sortRows', () => {
  it('orders numbers by size, text as people count, and nulls last either way', () => {
    const rows = [['b10'], [null], ['b9'], ['a']];
    expect(sortRows(rows, 0, false)).toEqual([['a'], ['b9'], ['b10'], [null]]);
    expect(sortRows(rows, 0, true)).toEqual([['b10'], ['b9'], ['a'], [null]]);
    expect(sortRows([[10], [9]], 0, false)).toEqual([[9], [10]]);
  });

  it('leaves the rows that it was given alone', () => {
    const rows = [[2], [1]];
    sortRows(rows, 0, false);
    expect(rows).toEqual([[2], [1]]);
  });
});

describe('cellText', () => {
  it('shows text bare, null as nothing, and the rest as JSON', () => {
    expect(['x', null, 1.5, true, [1]].map(cellText)).toEqual(['x', '', '1.5', 'true', '[1]']);
  });
});
