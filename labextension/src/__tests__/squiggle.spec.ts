import { Text } from '@codemirror/state';
import { extent, merge, toSquiggles } from '../editor/squiggle';
import type { IDiagnostic } from '../rest';

function finding(line: number, column: number, message = 'wrong'): IDiagnostic {
  return { file: '/a', line, column, severity: 'error', code: 'x', message, hint: 'mend it' };
}

describe('squiggles', () => {
  it.each([
    ['  x = foo(1)  ', 0, 'x = foo(1)'],
    ['  x = foo(1)', 7, 'foo'],
    ['"Watsh": 1', 1, '"Watsh"'],
    ['return [x', 8, '['],
    ['x = ', 5, '='],
    ['😀 = né(', 5, 'né'],
    ['', 1, '']
  ])('underlines in %j at column %i: %j', (line, column, marked) => {
    expect(line.slice(...extent(line, column))).toBe(marked);
  });

  it('finds the places in a text, also in one that is shorter by now', () => {
    const text = Text.of(['a = 1', 'b = 2']);
    const places = toSquiggles(text, [finding(9, 1), finding(2, 5), finding(0, 0)]);
    expect(places.map(({ from, to }) => [from, to])).toEqual([
      [0, 0],
      [6, 7],
      [10, 11]
    ]);
  });

  it('shows message and hint as text', () => {
    const [{ renderMessage }] = toSquiggles(Text.of(['a']), [finding(1, 1, '<b>')]);
    const node = renderMessage?.(null as never) as HTMLElement;
    expect(Array.from(node.children, child => child.textContent)).toEqual(['<b>', 'mend it']);
  });

  it('says once what two sources say', () => {
    expect(merge([finding(1, 1), finding(2, 1)], [finding(2, 1), finding(3, 1)])).toHaveLength(3);
  });
});
