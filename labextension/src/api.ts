import { URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';
import type { JSONValue } from '@lumino/coreutils';
import type { JSONSchema7 } from 'json-schema';
import type {
  IAnswer,
  IBuildReport,
  ICatalog,
  IDiagnostic,
  IFunction,
  IProblem,
  IWorkflow
} from './tokens';

/** The server answered, and the answer is a problem. */
export class ApiError extends Error {
  constructor(readonly problem: IProblem) {
    super(problem.detail || problem.title);
    this.name = 'ApiError';
  }
}

/** The server's REST as this page uses it. */
export class Api {
  constructor(readonly settings: ServerConnection.ISettings) {}

  /** Resolve when the server lives. */
  async health(): Promise<void> {
    await this._request('coflows/api/health');
  }

  async workflows(): Promise<IWorkflow[]> {
    return (await this._json<{ workflows: IWorkflow[] }>('coflows/api/workflows')).workflows;
  }

  workflow(id: string): Promise<IWorkflow> {
    return this._json(workflowPath(id));
  }

  catalog(id: string): Promise<ICatalog> {
    return this._json(`${workflowPath(id)}/queries`);
  }

  build(id: string): Promise<IBuildReport> {
    return this._json(`${workflowPath(id)}/build`, { method: 'POST' });
  }

  /** What is wrong with a text of the Workflow's config or package.json that is not saved yet. */
  async validate(id: string, path: string, text: string): Promise<IDiagnostic[]> {
    const body = { path, text };
    const answer = await this._post<{ diagnostics: IDiagnostic[] }>(
      `${workflowPath(id)}/validate`,
      body
    );
    return answer.diagnostics;
  }

  /** The JSON Schema of a file of every Workflow. */
  schema(name: string): Promise<JSONSchema7> {
    return this._json(`coflows/api/schemas/${name}`);
  }

  /** The address that anybody else would call. */
  address(target: IFunction): string {
    return URLExt.join(this.settings.baseUrl, target.url);
  }

  /**
   * Call a function.
   *
   * @param body - an object gives arguments by name, an array by position.
   * @param signal - aborting it closes the connection, which cancels the call on the server.
   */
  async call(target: IFunction, body: JSONValue, signal: AbortSignal): Promise<IAnswer> {
    const start = performance.now();
    const response = await this._request(target.url, {
      method: 'POST',
      body: JSON.stringify(body),
      headers: { 'Content-Type': 'application/json' },
      signal
    });
    return {
      contentType: response.headers.get('Content-Type') ?? '',
      body: await response.blob(),
      runId: response.headers.get('X-Run-Id') ?? '',
      seconds: (performance.now() - start) / 1000
    };
  }

  private _post<T>(path: string, body: JSONValue): Promise<T> {
    return this._json(path, { method: 'POST', body: JSON.stringify(body) });
  }

  private async _json<T>(path: string, init: RequestInit = {}): Promise<T> {
    return (await (await this._request(path, init)).json()) as T;
  }

  private async _request(path: string, init: RequestInit = {}): Promise<Response> {
    const response = await ServerConnection.makeRequest(
      URLExt.join(this.settings.baseUrl, path),
      // Not Lab's `no-store`: that adds a number to the query string, where arguments live.
      { cache: 'no-cache', ...init },
      this.settings
    );
    if (!response.ok) {
      throw new ApiError(await readProblem(response));
    }
    return response;
  }
}

/** Read a problem from any failed response, also from a proxy's HTML page. */
export async function readProblem(response: Response): Promise<IProblem> {
  const fallback = {
    title: response.statusText || 'The request failed',
    status: response.status,
    detail: `The server answered ${response.status} ${response.statusText}`.trim() + '.'
  };
  try {
    const body = (await response.json()) as Partial<IProblem> & { message?: string };
    return { ...fallback, ...(body.message ? { detail: body.message } : {}), ...body };
  } catch {
    return fallback;
  }
}

function workflowPath(id: string): string {
  return `coflows/api/workflows/${encodeURIComponent(id)}`;
}
