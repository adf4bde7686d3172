import type { IFunction } from '../rest';

const DEFINITION = /^(?:async\s+)?def\s+([^\s(]+)/;
const ABOVE = /^(?:#|@)/;

/**
 * The function that the cursor is in, on, or above in its comments and decorators; null between functions.
 *
 * Python's are found by name, as the text may have moved since the Build; others by their line in the Build.
 *
 * @param lines - the text in the editor.
 * @param line - 0-based line of the cursor.
 */
export function functionAt(
  lines: readonly string[],
  line: number,
  language: string,
  functions: readonly IFunction[]
): IFunction | null {
  if (language !== 'python') {
    const before = functions.filter(item => item.line > 0 && item.line <= line + 1);
    return before.sort((a, b) => b.line - a.line).at(0) ?? null;
  }
  const name = nameBelow(lines, line) ?? nameAbove(lines, line);
  return functions.find(item => item.name === name) ?? null;
}

/** The function that a comment or decorator belongs to. */
function nameBelow(lines: readonly string[], line: number): string | null {
  const next = lines.slice(line).find(text => !ABOVE.test(text));
  return next === undefined ? null : nameIn(next);
}

/** The function whose body holds a line. */
function nameAbove(lines: readonly string[], line: number): string | null {
  for (let index = line; index >= 0; index--) {
    const text = lines[index];
    const name = nameIn(text);
    // A bracket at the left ends a list of parameters; any other text there is outside of all functions.
    if (name !== null || /^[^\s)\]}]/.test(text)) {
      return name;
    }
  }
  return null;
}

function nameIn(text: string): string | null {
  return DEFINITION.exec(text)?.[1] ?? null;
}
