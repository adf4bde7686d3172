import { Connection } from '../connection';
import { AgentsModel } from '../sections/agents/model';
import { CoflowsModel } from '../sections/workflow/model';
import type { IAgent, IAgentRun } from '../rest';
import { eventStream, FakeServer, json, makeWorkflow, until } from './fixtures';

const BASE = 'coflows/api/workflows/w1';

function makeAgent(id: string, more: Partial<IAgent> = {}): IAgent {
  return {
    id,
    name: id,
    description: '',
    path: `Agents/${id}.py`,
    mode: 'started',
    schedule: '0 0 9 ? * *',
    words: 'At 09:00',
    upcoming: [],
    listens: '',
    callbacks: ['job'],
    last: null,
    running: [],
    drift: '',
    notebook: '',
    parameters: {},
    ...more
  };
}

function makeRun(id: string, more: Partial<IAgentRun> = {}): IAgentRun {
  return {
    run_id: id,
    agent_id: 'a',
    fire_at: '2026-01-01T09:00:00Z',
    state: 'succeeded',
    attempt: 1,
    owner: 's',
    started_at: '2026-01-01T09:00:00Z',
    ended_at: '2026-01-01T09:00:01Z',
    reason: '',
    cause: 'schedule',
    late_seconds: 0.1,
    ...more
  };
}

describe('AgentsModel', () => {
  let server: FakeServer;
  let connection: Connection;
  let model: CoflowsModel;
  let agents: AgentsModel;
  let listed: IAgent[];
  let runs: IAgentRun[];

  beforeEach(async () => {
    [listed, runs] = [[makeAgent('a')], []];
    server = new FakeServer({
      'GET coflows/api/health': () => json({}),
      'GET coflows/api/workflows': () => json({ workflows: [makeWorkflow('w1')] }),
      [`GET ${BASE}`]: () => json(makeWorkflow('w1')),
      [`GET ${BASE}/queries`]: () => json({ build: 'b1', queries: [] }),
      [`GET ${BASE}/agents`]: () => json({ agents: listed }),
      [`GET ${BASE}/agent-runs`]: () => json({ runs })
    });
    connection = new Connection(server.api);
    model = new CoflowsModel(server.api, connection);
    agents = new AgentsModel(server.api, model, connection);
    await model.refresh();
    await until(() => server.sockets.length === 1);
    server.sockets[0].open();
  });

  afterEach(() => {
    agents.dispose();
    model.dispose();
    connection.dispose();
  });

  const tell = (message = '') =>
    server.sockets[0].send({
      schema_id: 'https://schemas.coflows.dev/workflow/v1',
      workflow: 'w1',
      kind: 'agents',
      state: 'serving',
      message
    });
  const asked = (name: string) => server.requests.filter(request => request === name).length;

  it('asks for nothing while nobody looks', async () => {
    tell();
    expect(asked(`GET ${BASE}/agents`)).toBe(0);
    agents.active = true;
    await until(() => agents.known);
    expect(agents.agents).toEqual(listed);
    expect(asked(`GET ${BASE}/agent-runs`)).toBe(0);
  });

  it('follows what the server tells', async () => {
    agents.active = true;
    await agents.select('a');
    runs = [makeRun('r1')];
    listed = [makeAgent('a', { mode: 'paused' })];
    tell();
    await until(() => agents.runs.length === 1);
    expect(agents.selected?.mode).toBe('paused');
  });

  it('shows the others when the one that is open is gone', async () => {
    agents.active = true;
    await agents.select('a');
    server.routes[`GET ${BASE}/agent-runs`] = () => json({ title: 'none' }, { status: 404 });
    listed = [makeAgent('b')];
    tell();
    await until(() => agents.find('b') !== null);
    expect([agents.selected, agents.problem]).toEqual([null, '']);
  });

  it('looks again when a tick has come', async () => {
    listed = [makeAgent('a', { upcoming: [new Date(Date.now() - 1400).toISOString()] })];
    agents.active = true;
    await until(() => agents.known);
    listed = [makeAgent('a')];
    await until(() => agents.agents.at(0)?.upcoming.length === 0);
  });

  it('shows the log of the last attempt of a run', async () => {
    server.routes['GET coflows/api/runs/r1.2/events'] = () =>
      eventStream(['log', { text: 'hi' }], ['end', {}]);
    runs = [makeRun('r1', { attempt: 2 })];
    agents.active = true;
    await agents.select('a');
    agents.open(runs[0]);
    await until(() => agents.details?.activity.log === 'hi');
  });

  it('asks for no log of what never began', async () => {
    runs = [makeRun('r1', { attempt: 0, state: 'skipped', started_at: null })];
    agents.active = true;
    await agents.select('a');
    agents.open(runs[0]);
    expect(server.requests.filter(name => name.includes('events'))).toEqual([]);
  });

  it('tells each failure once, even when nobody looks, and none from before', async () => {
    const told: string[] = [];
    agents.failed.connect((_, run) => told.push(run.run_id));
    const later = new Date(Date.now() + 1000).toISOString();
    runs = [
      makeRun('r3', { ended_at: later }),
      makeRun('r2', { state: 'failed', ended_at: later }),
      makeRun('r1', { state: 'failed' })
    ];
    tell('a failed');
    await until(() => told.length === 1);
    tell('a failed');
    await until(() => asked(`GET ${BASE}/agent-runs`) === 2);
    expect(told).toEqual(['r2']);
  });

  it('switches an Agent, and shows how it is then', async () => {
    server.routes[`POST ${BASE}/agents/a/pause`] = () => {
      listed = [makeAgent('a', { mode: 'paused' })];
      return json({});
    };
    agents.active = true;
    await agents.switch('a', 'paused');
    expect(agents.find('a')?.mode).toBe('paused');
  });
});
