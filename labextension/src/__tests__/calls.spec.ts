import { CallsModel, type IFound } from '../calls';
import { Connection } from '../connection';
import { CoflowsModel } from '../model';
import { FakeServer, json, makeFunction, makeQuery, makeWorkflow, parameter } from './fixtures';

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
    expect(calls.runningSince(found)).not.toBeNull();
    calls.cancel(found);
    await Promise.all([run, closed]);
    expect(calls.outcome(found)).toEqual({ kind: 'cancelled' });
    expect(calls.runningSince(found)).toBeNull();
  });

  it('says so when the server is away', async () => {
    server.down = true;
    calls.setArguments(found, { x: 1 });
    await calls.run(found);
    expect(calls.outcome(found)).toMatchObject({ kind: 'problem', problem: { status: 0 } });
  });
});
