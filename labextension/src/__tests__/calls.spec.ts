import { CallsModel, type IFound } from '../sections/queries/model';
import { Connection } from '../connection';
import { CoflowsModel } from '../sections/workflow/model';
import {
  eventStream,
  FakeServer,
  json,
  makeFunction,
  makeQuery,
  makeRun,
  makeWorkflow,
  parameter,
  until
} from './fixtures';

const PATH = 'POST flow/query/w1/q1/Add';
const INTEGER = { type: 'integer' };

describe('CallsModel', () => {
  const target = makeFunction('Add', [
    parameter('x', { schema: INTEGER }),
    parameter('y', { schema: INTEGER, required: false, default: '2' })
  ]);
  let server: FakeServer;
  let connection: Connection;
  let calls: CallsModel;
  let found: IFound;

  beforeEach(async () => {
    server = new FakeServer({
      'GET coflows/api/workflows': () => json({ workflows: [makeWorkflow('w1')] }),
      'GET coflows/api/workflows/w1': () => json(makeWorkflow('w1')),
      'GET coflows/api/workflows/w1/queries': () =>
        json({ build: 'b1', queries: [makeQuery([target])] })
    });
    connection = new Connection(server.api);
    const model = new CoflowsModel(server.api, connection);
    calls = new CallsModel(server.api, model);
    await model.refresh();
    calls.select({ query: 'q1', function: 'Add' });
    found = calls.find({ query: 'q1', function: 'Add' })!;
  });

  afterEach(() => {
    calls.dispose();
    connection.dispose();
  });

  it('calls with what is typed and the defaults', async () => {
    server.routes[PATH] = async request => json(await request.json());
    calls.setDraft(found, { x: 1 });
    expect(calls.draft(found)).toEqual({ x: 1, y: 2 });
    await calls.run(found);
    expect(calls.outcome(found)).toMatchObject({
      kind: 'result',
      result: { json: { x: 1, y: 2 } }
    });
  });

  it('does not call without what is needed', async () => {
    await calls.run(found);
    const errors = [{ field: 'x', message: 'A value is needed.' }];
    expect(calls.outcome(found)).toMatchObject({ kind: 'problem', problem: { errors } });
    expect(server.requests).not.toContain(PATH);
  });

  it('keeps what the server says about fields', async () => {
    const errors = [{ field: 'x', message: 'too small', value: '0' }];
    server.routes[PATH] = () =>
      json({ title: 'no', status: 422, detail: 'no', errors }, { status: 422 });
    calls.setArguments(found, { x: 0 });
    await calls.run(found);
    expect(calls.outcome(found)).toMatchObject({ kind: 'problem', problem: { errors } });
  });

  it('cancels by closing the connection', async () => {
    const closed = new Promise<void>(resolve => {
      server.routes[PATH] = request =>
        new Promise((_, reject) => {
          request.signal.addEventListener('abort', () => {
            resolve();
            reject(new TypeError('aborted'));
          });
        });
    });
    calls.setArguments(found, { x: 1 });
    const run = calls.run(found);
    expect(calls.running(found)).not.toBeNull();
    calls.cancel(found);
    await Promise.all([run, closed]);
    expect(calls.outcome(found)).toEqual({ kind: 'cancelled' });
    expect(calls.running(found)).toBeNull();
  });

  describe('a call that takes long', () => {
    const RUN = 'coflows/api/runs/r1';
    const progress = { done: 1, total: 2, text: 'half' };

    beforeEach(() => {
      const headers = { 'Preference-Applied': 'respond-async' };
      server.routes[PATH] = request => {
        expect(request.headers.get('Prefer')).toBe('respond-async, wait=1');
        return json(makeRun('r1', { outcome: 'running' }), { status: 202, headers });
      };
      calls.setArguments(found, { x: 1 });
    });

    it('tells how far it is, then gives its result', async () => {
      const seen: unknown[] = [];
      calls.changed.connect(() => seen.push(calls.running(found)?.activity));
      server.routes[`GET ${RUN}/events`] = () =>
        eventStream(['progress', progress], ['log', { text: 'hi' }], ['end', makeRun('r1')]);
      server.routes[`GET ${RUN}/result`] = () => json(3);
      await calls.run(found);
      expect(seen).toContainEqual({ progress, log: 'hi' });
      expect(calls.outcome(found)).toMatchObject({ kind: 'result', result: { json: 3 } });
    });

    it('gives its problem', async () => {
      const end = makeRun('r1', { outcome: 'failed' });
      server.routes[`GET ${RUN}/events`] = () => eventStream(['end', end]);
      server.routes[`GET ${RUN}/result`] = () =>
        json({ title: 'no', status: 500, detail: 'x' }, { status: 500 });
      await calls.run(found);
      expect(calls.outcome(found)).toMatchObject({ kind: 'problem', problem: { detail: 'x' } });
    });

    it('is cancelled on the server, which says when it has ended', async () => {
      let end: (response: Response) => void = () => undefined;
      server.routes[`GET ${RUN}/events`] = () => new Promise(resolve => (end = resolve));
      server.routes[`POST ${RUN}/cancel`] = () => {
        end(eventStream(['end', makeRun('r1', { outcome: 'cancelled' })]));
        return json(makeRun('r1', { outcome: 'running' }));
      };
      const run = calls.run(found);
      await until(() => server.requests.includes(`GET ${RUN}/events`));
      calls.cancel(found);
      expect(calls.running(found)?.stopping).toBe(true);
      await run;
      expect(calls.outcome(found)).toEqual({ kind: 'cancelled' });
    });
  });

  it('says so when the server is away', async () => {
    server.down = true;
    calls.setArguments(found, { x: 1 });
    await calls.run(found);
    expect(calls.outcome(found)).toMatchObject({ kind: 'problem', problem: { status: 0 } });
  });
});
