import { nullTranslator } from '@jupyterlab/translation';
import { functionAt } from '../shell/functionat';
import { statusOf } from '../shell/status';
import type { IDiagnostic } from '../rest';
import { makeFunction, makeWorkflow } from './fixtures';

const SOURCE = `import math

### <api name="first"/>
@cached
def first(
    x: int,
) -> int:
    def inner():
        return x

    return inner()

LIMIT = 3

async def second():
    pass
`.split('\n');

describe('functionAt', () => {
  const functions = ['first', 'second'].map(name => makeFunction(name));

  it.each([
    [0, undefined],
    [2, 'first'],
    [3, 'first'],
    [4, 'first'],
    [6, 'first'],
    [8, 'first'],
    [10, 'first'],
    [12, undefined],
    [14, 'second'],
    [15, 'second']
  ])('finds at line %i: %s', (line, name) => {
    expect(functionAt(SOURCE, line, 'python', functions)?.name).toBe(name);
  });

  it('knows only functions of the Build', () => {
    expect(functionAt(SOURCE, 4, 'python', [functions[1]])).toBeNull();
  });

  it('goes by the lines of the Build in other languages', () => {
    const placed = [
      { ...functions[1], line: 9 },
      { ...functions[0], line: 3 }
    ];
    expect(functionAt([], 1, 'csharp', placed)).toBeNull();
    expect(functionAt([], 7, 'csharp', placed)?.name).toBe('first');
    expect(functionAt([], 8, 'csharp', placed)?.name).toBe('second');
  });
});

describe('statusOf', () => {
  const trans = nullTranslator.load('');
  const ready = { availability: 'ready' as const, building: false, workflow: makeWorkflow('w') };
  const error = { severity: 'error' } as IDiagnostic;

  it.each([
    [ready, 'serving', false],
    [{ ...ready, building: true }, 'building', false],
    [{ ...ready, availability: 'lost' as const }, 'not connected', true],
    [{ ...ready, workflow: null }, 'no Workflow', false],
    [{ ...ready, workflow: makeWorkflow('w', { state: 'failed' }) }, 'failed', true],
    [{ ...ready, workflow: makeWorkflow('w', { diagnostics: [error] }) }, '1 error', true],
    [{ ...ready, workflow: makeWorkflow('w', { diagnostics: [error, error] }) }, '2 errors', true]
  ])('says %#: %s', (model, text, bad) => {
    expect(statusOf(model, trans)).toEqual({ text, bad });
  });

  it('says nothing where the server has no CoFlows', () => {
    expect(statusOf({ ...ready, availability: 'absent' }, trans)).toBeNull();
  });
});
