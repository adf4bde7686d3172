import type { Diagnostic } from '@codemirror/lint';
import type { Text } from '@codemirror/state';
import type { IDiagnostic } from '../rest';

/** What the build found about one file, and what the server says of a text that is not saved yet. */
export function merge(
  first: readonly IDiagnostic[],
  second: readonly IDiagnostic[]
): IDiagnostic[] {
  const key = ({ line, column, message }: IDiagnostic) => JSON.stringify([line, column, message]);
  return [...new Map([...first, ...second].map(item => [key(item), item])).values()];
}

/** Turn findings about a file into what the editor underlines. */
export function toSquiggles(text: Text, items: readonly IDiagnostic[]): Diagnostic[] {
  return items
    .map(item => {
      // An edited text may be shorter than the file that the finding is about.
      const line = text.line(Math.min(Math.max(item.line, 1), text.lines));
      const [start, end] = item.line > 0 ? extent(line.text, item.column) : [0, 0];
      return {
        from: line.from + start,
        to: line.from + end,
        severity: item.severity,
        message: item.message,
        source: 'CoFlows',
        renderMessage: () => draw(item)
      };
    })
    .sort((a, b) => a.from - b.from);
}

/**
 * The part of a line that a finding underlines: a text, a word or a sign; the whole line for column 0.
 *
 * @param column - 1-based, in characters as Python counts them.
 */
export function extent(line: string, column: number): [number, number] {
  const last = line.trimEnd().length;
  if (column < 1) {
    return [line.length - line.trimStart().length, last];
  }
  const start = Math.min(
    Array.from(line)
      .slice(0, column - 1)
      .join('').length,
    last
  );
  const found = /^(?:"(?:[^"\\]|\\.)*"?|[\p{L}\p{N}_.]+|\S)/u.exec(line.slice(start));
  // At the end of a line there is nothing to underline but what comes before.
  return found ? [start, start + found[0].length] : [Math.max(0, start - 1), start];
}

function draw({ message, hint }: IDiagnostic): HTMLElement {
  const node = document.createElement('div');
  node.className = 'jp-Coflows-squiggle';
  for (const [name, text] of [
    ['message', message],
    ['hint', hint]
  ]) {
    if (text) {
      const part = document.createElement('div');
      part.className = `jp-Coflows-squiggle-${name}`;
      part.textContent = text;
      node.append(part);
    }
  }
  return node;
}
