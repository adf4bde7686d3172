import { ServerConnection } from '@jupyterlab/services';
import { ApiError } from '../api';
import type { IAnswer, IProblem } from '../rest';
import { FakeServer, json, makeFunction } from './fixtures';

const target = makeFunction('f');
const PATH = 'POST flow/query/w1/q1/f';
const live = () => new AbortController().signal;

async function problemOf(response: Response): Promise<IProblem> {
  const { api } = new FakeServer({ [PATH]: () => response });
  const error: unknown = await api.call(target, {}, live()).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(ApiError);
  return (error as ApiError).problem;
}

describe('Api', () => {
  it('sends arguments as JSON and nothing in the query string', async () => {
    let seen: Request | null = null;
    const { api } = new FakeServer({
      [PATH]: request => {
        seen = request;
        return json(3, { headers: { 'X-Run-Id': 'r1' } });
      }
    });
    const answer = (await api.call(target, { x: 1 }, live())) as IAnswer;
    expect(answer).toMatchObject({ contentType: 'application/json', runId: 'r1' });
    expect(await answer.body.text()).toBe('3');
    const request = seen as unknown as Request;
    expect(request.url).toBe('http://lab.test/base/flow/query/w1/q1/f');
    expect(await request.json()).toEqual({ x: 1 });
  });

  it('knows the address of a function below any base URL', () => {
    expect(new FakeServer({}).api.address(target.url)).toBe(
      'http://lab.test/base/flow/query/w1/q1/f'
    );
  });

  it('keeps problem details whole', async () => {
    const problem = {
      title: 'The arguments do not fit',
      status: 422,
      detail: '1 argument does not fit',
      errors: [{ field: 'x', message: 'is missing', value: '' }]
    };
    expect(await problemOf(json(problem, { status: 422 }))).toEqual(problem);
  });

  it("reads Jupyter's own errors", async () => {
    const problem = await problemOf(json({ message: 'Forbidden', reason: null }, { status: 403 }));
    expect(problem).toMatchObject({ status: 403, detail: 'Forbidden' });
  });

  it("survives a proxy's page", async () => {
    const page = new Response('<html>', { status: 502, statusText: 'Bad Gateway' });
    expect(await problemOf(page)).toEqual({
      title: 'Bad Gateway',
      status: 502,
      detail: 'The server answered 502 Bad Gateway.'
    });
  });

  it('tells a server that is away from one that refuses', async () => {
    const server = new FakeServer({});
    server.down = true;
    await expect(server.api.health()).rejects.toBeInstanceOf(ServerConnection.NetworkError);
  });
});
