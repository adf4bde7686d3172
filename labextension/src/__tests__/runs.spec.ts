import { Connection } from '../connection';
import { merge, RunsModel } from '../sections/runs/model';
import { CoflowsModel } from '../sections/workflow/model';
import type { IRun } from '../rest';
import { eventStream, FakeServer, json, makeRun, makeWorkflow, until } from './fixtures';

const RUNS = 'GET coflows/api/runs';
const names = (runs: readonly IRun[]) => runs.map(({ id }) => id);

describe('merge', () => {
  it('puts what is new first and keeps what is older', () => {
    const known = [makeRun('b'), makeRun('a')];
    expect(names(merge([makeRun('c'), makeRun('b')], known))).toEqual(['c', 'b', 'a']);
  });

  it('forgets what is known when there may be a gap', () => {
    expect(names(merge([makeRun('z'), makeRun('y')], [makeRun('a')]))).toEqual(['z', 'y']);
  });

  it('takes no old word of what was running', () => {
    const known = [makeRun('x', { outcome: 'running' }), makeRun('b'), makeRun('a')];
    expect(names(merge([makeRun('c'), makeRun('b')], known))).toEqual(['c', 'b', 'a']);
  });
});

describe('RunsModel', () => {
  let server: FakeServer;
  let connection: Connection;
  let model: CoflowsModel;
  let runs: RunsModel;
  let asked: Record<string, string>[];
  let answer: (query: Record<string, string>) => IRun[];

  beforeEach(async () => {
    asked = [];
    answer = () => [];
    server = new FakeServer({
      'GET coflows/api/health': () => json({}),
      'GET coflows/api/me': () => json({ id: 'ann' }),
      'GET coflows/api/workflows': () => json({ workflows: [makeWorkflow('w1')] }),
      'GET coflows/api/workflows/w1': () => json(makeWorkflow('w1')),
      'GET coflows/api/workflows/w1/queries': () => json({ build: 'b1', queries: [] }),
      [RUNS]: request => {
        const query = Object.fromEntries(new URL(request.url).searchParams);
        asked.push(query);
        return json({ runs: answer(query) });
      }
    });
    connection = new Connection(server.api);
    model = new CoflowsModel(server.api, connection);
    runs = new RunsModel(server.api, model, connection);
    await model.refresh();
    await until(() => server.sockets.length === 1);
    server.sockets[0].open();
  });

  afterEach(() => {
    runs.dispose();
    model.dispose();
    connection.dispose();
  });

  const tell = () =>
    server.sockets[0].send({
      schema_id: 'https://schemas.coflows.dev/workflow/v1',
      workflow: 'w1',
      kind: 'runs',
      state: 'serving'
    });

  it('asks for nothing while nobody looks, and once when somebody does', async () => {
    tell();
    expect(asked).toEqual([]);
    answer = () => [makeRun('r1')];
    runs.active = true;
    await until(() => runs.known);
    expect(asked).toEqual([{ workflow: 'w1', limit: '50' }]);
    expect(names(runs.runs)).toEqual(['r1']);
  });

  it('asks again when the server tells of other runs', async () => {
    runs.active = true;
    await until(() => runs.known);
    answer = () => [makeRun('r2')];
    tell();
    await until(() => runs.runs.length === 1);
    expect(server.requests.filter(name => name.endsWith('/queries'))).toHaveLength(1);
  });

  it('lets the server filter', async () => {
    runs.active = true;
    runs.setFilter({ text: 'x', outcome: 'failed' });
    await until(() => runs.known);
    expect(asked.at(-1)).toEqual({ workflow: 'w1', limit: '50', text: 'x', outcome: 'failed' });
  });

  it('loads older runs page by page', async () => {
    const page = (from: number) =>
      Array.from({ length: 50 }, (_, index) => makeRun(`r${from - index}`));
    answer = ({ before }) => (before ? [makeRun('r0')] : page(50));
    runs.active = true;
    await until(() => runs.known);
    expect(runs.more).toBe(true);
    await runs.loadMore();
    expect(asked.at(-1)?.before).toBe('r1');
    expect(runs.runs).toHaveLength(51);
    expect(runs.more).toBe(false);
    await runs.refresh();
    expect(runs.runs).toHaveLength(51);
  });

  it('follows the run whose details are shown to its end', async () => {
    const progress = { done: 1, total: 2, text: 'half' };
    const end = makeRun('r1', { kept: true });
    server.routes['GET coflows/api/runs/r1/events'] = () =>
      eventStream(['log', { text: 'hi' }], ['progress', progress], ['end', end]);
    runs.open(makeRun('r1', { outcome: 'running' }));
    await until(() => runs.details?.run.outcome === 'succeeded');
    expect(runs.details).toEqual({ run: end, activity: { log: 'hi', progress } });
    expect(runs.find('r1')).toEqual(end);
  });

  it('runs again without waiting, and shows the new run', async () => {
    const again = makeRun('r2', { outcome: 'running' });
    server.routes['POST coflows/api/runs/r1/rerun'] = request => {
      expect(request.headers.get('Prefer')).toBe('respond-async');
      return json(again, { status: 202 });
    };
    server.routes['GET coflows/api/runs/r2/events'] = () => eventStream(['end', again]);
    await runs.again('r1');
    expect(runs.details?.run).toEqual(again);
    expect(names(runs.runs)).toEqual(['r2']);
  });
});
