import { Connection, EVENT_SCHEMA } from '../connection';
import { CoflowsModel } from '../sections/workflow/model';
import { FakeServer, json, makeFunction, makeQuery, makeWorkflow, until } from './fixtures';

const LIST = 'GET coflows/api/workflows';
const catalog = { build: 'b1', queries: [makeQuery([makeFunction('f')])] };

function makeServer(...workflows: ReturnType<typeof makeWorkflow>[]): FakeServer {
  const routes: FakeServer['routes'] = {
    'GET coflows/api/health': () => json({ status: 'ok' }),
    [LIST]: () => json({ workflows })
  };
  for (const workflow of workflows) {
    routes[`${LIST}/${workflow.id}`] = () => json(workflow);
    routes[`${LIST}/${workflow.id}/queries`] = () => json(catalog);
  }
  return new FakeServer(routes);
}

describe('CoflowsModel', () => {
  let connection: Connection;
  let model: CoflowsModel;

  function start(server: FakeServer): void {
    connection = new Connection(server.api);
    model = new CoflowsModel(server.api, connection);
  }

  /** Start, with a panel in sight and events flowing; returns when everything was fetched. */
  async function open(server: FakeServer): Promise<void> {
    start(server);
    await until(() => server.sockets.length === 1);
    server.sockets[0].open();
    await until(() => connection.state === 'online');
    model.active = true;
    await model.refresh();
  }

  const fetches = (server: FakeServer) => server.requests.filter(name => name === LIST).length;

  afterEach(() => {
    connection.dispose();
    model.dispose();
  });

  it('shows the first Workflow, or the one that is selected', async () => {
    await open(makeServer(makeWorkflow('w1'), makeWorkflow('w2')));
    expect(model.workflow?.id).toBe('w1');
    await model.select('w2');
    expect(model.workflow?.id).toBe('w2');
    expect(model.catalog).toEqual(catalog);
  });

  it('is ready with nothing where the server has no Workflow', async () => {
    start(makeServer());
    await model.refresh();
    expect(model.availability).toBe('ready');
    expect(model.workflow).toBeNull();
  });

  it.each([
    [401, 'signed-out'],
    [403, 'signed-out'],
    [404, 'absent'],
    [500, 'failed']
  ])('takes %i for %s', async (status, availability) => {
    const server = makeServer();
    server.routes[LIST] = () => json({ message: 'no' }, { status });
    start(server);
    await model.refresh();
    expect(model.availability).toBe(availability);
    expect(model.problem?.status).toBe(status);
  });

  it('fetches once more for all requests that come during a fetch', async () => {
    const server = makeServer(makeWorkflow('w1'));
    start(server);
    await Promise.all([model.refresh(), model.refresh(), model.refresh()]);
    expect(fetches(server)).toBe(2);
  });

  it('follows events while somebody looks, and catches up when somebody looks again', async () => {
    const server = makeServer(makeWorkflow('w1'));
    await open(server);
    const before = fetches(server);
    const event = { schema_id: EVENT_SCHEMA, workflow: 'w1', kind: 'state', state: 'serving' };
    server.sockets[0].send({ ...event, schema_id: 'https://example.org/other' });
    expect(fetches(server)).toBe(before);
    server.sockets[0].send(event);
    await until(() => fetches(server) === before + 1);
    await model.refresh();

    model.active = false;
    const hidden = fetches(server);
    server.sockets[0].send(event);
    expect(fetches(server)).toBe(hidden);
    model.active = true;
    await until(() => fetches(server) === hidden + 1);
  });

  it('says that the server is away, and recovers when it is back', async () => {
    const server = makeServer(makeWorkflow('w1'));
    await open(server);
    server.down = true;
    server.sockets[0].close();
    await until(() => model.availability === 'lost');
    expect(model.workflow?.id).toBe('w1');

    server.routes[`${LIST}/w1`] = () => json(makeWorkflow('w1', { name: 'renamed' }));
    server.down = false;
    await until(() => server.sockets.length === 2);
    server.sockets[1].open();
    await until(() => model.availability === 'ready' && model.workflow?.name === 'renamed');
  });

  it('tells how far a Build is, and ends with the state after it', async () => {
    const server = makeServer(makeWorkflow('w1'));
    await open(server);
    let finish: (response: Response) => void = () => undefined;
    server.routes['POST coflows/api/workflows/w1/build'] = () =>
      new Promise(resolve => (finish = resolve));
    const build = model.build();
    expect(model.building).toBe(true);
    server.sockets[0].send({
      schema_id: EVENT_SCHEMA,
      workflow: 'w1',
      kind: 'build',
      state: 'building',
      step: 'load',
      done: 1,
      total: 2
    });
    expect(model.progress).toMatchObject({ step: 'load', done: 1, total: 2 });
    finish(json({ ok: true, build: 'b2', seconds: 0.2, diagnostics: [] }));
    expect(await build).toMatchObject({ ok: true, build: 'b2' });
    expect(model.building).toBe(false);
    expect(model.progress).toBeNull();
  });

  it('leaves a Build that failed at once, whatever the next fetch takes', async () => {
    const server = makeServer(makeWorkflow('w1'));
    await open(server);
    const tell = (event: object): void =>
      server.sockets[0].send({ schema_id: EVENT_SCHEMA, workflow: 'w1', kind: 'state', ...event });
    tell({ state: 'building', step: 'loading', message: 'loading', done: 1, total: 2 });
    expect(model.building).toBe(true);
    expect(model.progress).toMatchObject({ step: 'loading' });
    tell({ state: 'serving', step: '', message: '1 error', done: 0, total: 0 });
    expect(model.building).toBe(false);
    expect(model.progress).toBeNull();
  });
});
