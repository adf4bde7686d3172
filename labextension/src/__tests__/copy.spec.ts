import type { JSONValue } from '@lumino/coreutils';
import {
  asCell,
  asCommand,
  asCurl,
  asPython,
  givenArguments,
  pythonLiteral,
  shellQuote
} from '../copy';
import { bodyOf } from '../schema';
import type { IFunction } from '../rest';
import { makeFunction, makeQuery, makeRun, parameter } from './fixtures';

const ADDRESS = 'http://localhost:8888/flow/query/w1/q1/f';

describe('shellQuote', () => {
  it.each([
    ['plain-1.5', 'plain-1.5'],
    ['', "''"],
    ['two words', "'two words'"],
    ["it's $HOME", `'it'"'"'s $HOME'`],
    ['a\nb', "'a\nb'"],
    ['~', "'~'"]
  ])('makes one word of %j', (word, quoted) => {
    expect(shellQuote(word)).toBe(quoted);
  });
});

describe('pythonLiteral', () => {
  it('spells what JSON and Python spell differently', () => {
    const value = { a: [null, true, false, -1.5], b: 'x"\n' };
    expect(pythonLiteral(value)).toBe('{"a": [None, True, False, -1.5], "b": "x\\"\\n"}');
  });
});

describe('asCurl', () => {
  const target = makeFunction('f', [parameter('x'), parameter('y')]);

  it('posts the arguments by name and never shows a key', () => {
    expect(asCurl(ADDRESS, bodyOf(target, { x: 1, y: "it's" }))).toBe(
      'curl -H "x-api-key: $(coflows key show)" -H \'Content-Type: application/json\' ' +
        `-d '{"x":1,"y":"it'"'"'s"}' '${ADDRESS}'`
    );
  });

  it('posts by position where the function takes *args', () => {
    const many = makeFunction('f', [parameter('x'), parameter('rest', { kind: 'var_positional' })]);
    expect(asCurl(ADDRESS, bodyOf(many, { x: 1, rest: [2, 3] }))).toContain("-d '[1,2,3]'");
  });
});

describe('asCommand', () => {
  const optional = { required: false };
  const target = makeFunction('f', [
    parameter('a'),
    parameter('b', { ...optional, default: '"day"' }),
    parameter('c', { ...optional, default: '1.5' })
  ]);
  const query = makeQuery([target]);

  it('gives arguments in order, text bare and the rest as JSON', () => {
    expect(asCommand(query, target, { a: [1, 2], b: 'a b', c: 2 })).toBe(
      "coflows local query q1 f '[1,2]' 'a b' 2"
    );
  });

  it('leaves out what comes last and fills a gap with its default', () => {
    expect(asCommand(query, target, { a: 1 })).toBe('coflows local query q1 f 1');
    expect(asCommand(query, target, { a: 1, c: 2 })).toBe('coflows local query q1 f 1 day 2');
  });

  it('keeps an argument from being read as an option, but not a negative number', () => {
    expect(asCommand(query, target, { a: -5 })).toBe('coflows local query q1 f -5');
    expect(asCommand(query, target, { a: '--json' })).toBe('coflows local query q1 f -- --json');
  });
});

describe('asPython', () => {
  it('loads the extension and names the arguments', () => {
    const target = makeFunction('f', [parameter('x'), parameter('on')]);
    expect(asPython(makeQuery([target]), target, { x: 'a', on: true })).toBe(
      '%load_ext coflows_jupyter\nquery.q1.f(x="a", on=True)'
    );
  });

  it('indexes an ID that is no Python name', () => {
    const target = makeFunction('f');
    expect(asPython(makeQuery([target], '9f-1'), target, {})).toContain('query["9f-1"].f()');
  });
});

describe('givenArguments', () => {
  const target = makeFunction('f', [
    parameter('x', { schema: { type: 'integer' } }),
    parameter('on', { schema: { type: 'boolean' } }),
    parameter('text', { schema: { type: 'string' } })
  ]);

  it('reads the text of an URL as what the function wants', () => {
    expect(givenArguments({ x: '1', on: 'true', text: '2' }, target)).toEqual({
      x: 1,
      on: true,
      text: '2'
    });
    expect(givenArguments(['1', 'no', '3'], target)).toEqual([1, 'no', '3']);
  });

  it('leaves them alone when the function is gone', () => {
    expect(givenArguments({ x: '1' }, null)).toEqual({ x: '1' });
  });
});

describe('asCell', () => {
  const cell = (values: JSONValue, target: IFunction | null = null) =>
    asCell(makeRun('r1', { arguments: values }), target).split('\n');

  it('makes the call again and says where it comes from', () => {
    expect(cell({ x: 1, on: true })).toEqual([
      '%load_ext coflows_jupyter',
      '# Run r1 of 2026-01-01T12:00:00.000+00:00, Build b1',
      'query.q1.f(x=1, on=True)'
    ]);
  });

  it.each([
    [[1, 'a'], 'query.q1.f(1, "a")'],
    [{}, 'query.q1.f()'],
    [{ 'a b': 1, c: 2 }, 'query.q1.f(c=2, **{"a b": 1})'],
    ['text', 'query.q1.f("text")']
  ])('spells %j', (values, call) => {
    expect(cell(values).at(-1)).toBe(call);
  });

  it('gives a body that was the only argument as that', () => {
    const target = makeFunction('f', [parameter('book')]);
    expect(cell({ a: 1 }, target).at(-1)).toBe('query.q1.f({"a": 1})');
    expect(cell({ book: 1 }, target).at(-1)).toBe('query.q1.f(book=1)');
  });
});
