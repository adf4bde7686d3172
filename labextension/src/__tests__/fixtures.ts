import { ServerConnection } from '@jupyterlab/services';
import { Api } from '../api';
import type { IFunction, IParameter, IQuery, IRun, IWorkflow } from '../rest';

export function parameter(name: string, more: Partial<IParameter> = {}): IParameter {
  return {
    name,
    kind: 'positional',
    annotation: '',
    required: true,
    default: '',
    schema: {},
    description: '',
    ...more
  };
}

export function makeFunction(name: string, parameters: IParameter[] = []): IFunction {
  return {
    name,
    description: '',
    returns: '',
    doc: '',
    line: 1,
    closed: false,
    timeout: 60,
    permissions: null,
    callable: true,
    parameters,
    url: `flow/query/w1/q1/${name}`
  };
}

export function makeQuery(functions: IFunction[], id = 'q1'): IQuery {
  return { id, name: id, path: `Queries/${id}.py`, language: 'python', info: {}, functions };
}

export function makeWorkflow(id: string, more: Partial<IWorkflow> = {}): IWorkflow {
  return {
    id,
    name: id,
    folder: `/srv/${id}`,
    path: '',
    config: `/srv/${id}/coflows_config.json`,
    mode: 'process',
    state: 'serving',
    build: { id: 'b1', ok: true, seconds: 0.1, at: '2026-01-01T12:00:00+00:00' },
    hosts: [],
    diagnostics: [],
    reasons: [],
    watching: true,
    crashes: 0,
    ...more
  };
}

export function makeRun(id: string, more: Partial<IRun> = {}): IRun {
  return {
    id,
    workflow: 'w1',
    query: 'q1',
    function: 'f',
    door: 'http',
    caller: 'root',
    arguments: {},
    started: '2026-01-01T12:00:00.000+00:00',
    seconds: 1,
    outcome: 'succeeded',
    status: 200,
    error: '',
    build: 'b1',
    result_bytes: 1,
    progress: null,
    kept: false,
    ...more
  };
}

/** A stream of events as a run tells them. */
export function eventStream(...events: [string, unknown][]): Response {
  const text = events.map(([kind, data]) => `event: ${kind}\ndata: ${JSON.stringify(data)}\n\n`);
  return new Response(text.join(''), { headers: { 'Content-Type': 'text/event-stream' } });
}

export function json(body: unknown, init: ResponseInit = {}): Response {
  const headers = new Headers(init.headers);
  headers.set('Content-Type', 'application/json');
  return new Response(JSON.stringify(body), { ...init, headers });
}

type Route = (request: Request) => Response | Promise<Response>;

/** A server in this process: routes by `METHOD path`, and the event sockets that the page opened. */
export class FakeServer {
  constructor(public routes: Record<string, Route>) {
    const sockets = this.sockets;
    this.api = new Api(
      ServerConnection.makeSettings({
        baseUrl: 'http://lab.test/base/',
        wsUrl: 'ws://lab.test/base/',
        fetch: request => this._answer(request as Request),
        WebSocket: class extends FakeSocket {
          constructor() {
            super();
            sockets.push(this);
          }
        } as unknown as typeof WebSocket
      })
    );
  }

  readonly api: Api;
  readonly requests: string[] = [];
  readonly sockets: FakeSocket[] = [];
  down = false;

  private async _answer(request: Request): Promise<Response> {
    if (this.down) {
      throw new TypeError('Failed to fetch');
    }
    const { pathname } = new URL(request.url);
    const name = `${request.method} ${pathname.replace('/base/', '')}`;
    this.requests.push(name);
    const route = this.routes[name] as Route | undefined;
    return route ? route(request) : json({ message: 'not here' }, { status: 404 });
  }
}

export class FakeSocket extends EventTarget {
  onclose: ((event: Event) => void) | null = null;
  onmessage: ((event: { data: string }) => void) | null = null;

  open(): void {
    this.dispatchEvent(new Event('open'));
  }

  send(message: object): void {
    this.onmessage?.({ data: JSON.stringify(message) });
  }

  close(): void {
    const event = new Event('close');
    this.dispatchEvent(event);
    this.onclose?.(event);
  }
}

/** Wait until something holds. */
export async function until(holds: () => boolean, milliseconds = 5000): Promise<void> {
  const deadline = Date.now() + milliseconds;
  while (!holds()) {
    if (Date.now() > deadline) {
      throw new Error(`Waited in vain for ${holds.toString()}`);
    }
    await new Promise(resolve => setTimeout(resolve, 5));
  }
}
