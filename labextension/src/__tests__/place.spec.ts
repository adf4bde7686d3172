import { placeAt } from '../editor/place';

/** The place of the `|` in a text. */
function at(text: string) {
  return placeAt(text.replace('|', ''), text.indexOf('|'));
}

describe('placeAt', () => {
  it.each([
    ['{|}', 'key', []],
    ['{"a": {"b": 1, |}}', 'key', ['a']],
    ['{"a": |}', 'value', ['a']],
    ['{"a": tr|ue}', 'value', ['a']],
    ['{"a": "x|"}', 'value', ['a']],
    ['{"a": [1, {"b": |}]}', 'value', ['a', 1, 'b']],
    ['{"a": [{"b": 1}, |]}', 'value', ['a', 1]],
    ['{"a": 1\n "b|": 2}', 'key', []],
    ['{"a": {"b": 1}\n |}', 'key', []],
    ['// {\n{ /* "x": { */ "a": {"|', 'key', ['a']]
  ])('finds what belongs into %s', (text, kind, path) => {
    expect(at(text)).toMatchObject({ kind, path });
  });

  it.each(['{"a"| }', '{"a": 1} // |', '{ /* | */ }', '{"a": [1 |]}', '{"a" |: 1}'])(
    'finds nothing in %s',
    text => {
      expect(at(text)).toBeNull();
    }
  );

  it('replaces the whole word, from behind its opening quote', () => {
    expect(at('{"Se|rvr": 1}')).toMatchObject({ from: 2, to: 8, quoted: true, followed: true });
    expect(at('{"Se|')).toMatchObject({ from: 2, to: 4, quoted: true, followed: false });
    expect(at('{"a": tr|ue}')).toMatchObject({ from: 6, to: 10, quoted: false });
  });

  it('knows the keys before and after, of this object only', () => {
    const place = at('{"a": {"x": 1}, |\n "b": {"y": [{"z": 1}]} /* "c": */ }, "d": 1');
    expect(place?.siblings).toEqual(['a', 'b']);
  });

  it('takes any text at any offset', () => {
    const text = '{"a": [1, {"b": "c" // d\n}, ]\n /* e "f": \\" }';
    for (let end = 0; end <= text.length; end++) {
      for (let offset = 0; offset <= end; offset++) {
        const place = placeAt(text.slice(0, end), offset);
        expect(place === null || (place.from <= offset && offset <= place.to)).toBe(true);
      }
    }
  });
});
