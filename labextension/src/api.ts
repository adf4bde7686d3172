import { URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';
import type { JSONValue } from '@lumino/coreutils';
import type { JSONSchema7 } from 'json-schema';
import { readEvents, type IServerEvent } from './events';
import { readSocket } from './socket';
import type {
  IAgent,
  IAgentRun,
  IAnswer,
  IBuildReport,
  ICatalog,
  ICondition,
  IDiagnostic,
  IFunction,
  IKey,
  IKeyWish,
  IMChange,
  IMe,
  IMember,
  IMPage,
  IMSet,
  IMValue,
  INewKey,
  INewSource,
  INotebookJob,
  INotebookParameter,
  IProblem,
  IRun,
  ISchedulePreview,
  IWorkflow,
  Level
} from './rest';

/** Who calls, for the history. */
const DOOR = { 'X-Coflows-Door': 'sidebar' };

/** Which runs to list; what is absent or empty does not narrow. */
export interface IRunFilter {
  workflow?: string;
  query?: string;
  outcome?: string;
  text?: string;
  /** Only those older than the run of this ID. */
  before?: string;
  limit?: number;
}

/** An M set of a Workflow. */
export interface ISetName {
  workflow: string;
  name: string;
}

/** The server answered, and the answer is a problem. */
export class ApiError extends Error {
  constructor(readonly problem: IProblem) {
    super(problem.detail || problem.title);
    this.name = 'ApiError';
  }
}

/** What to tell a person about something that went wrong. */
export function errorText(error: unknown): string {
  if (error instanceof ApiError) {
    return [error.message, error.problem.hint].filter(Boolean).join('. ');
  }
  return error instanceof Error ? error.message : String(error);
}

/** The server's REST as this page uses it. */
export class Api {
  constructor(readonly settings: ServerConnection.ISettings) {}

  /** Resolve when the server lives. */
  async health(): Promise<void> {
    await this._request('coflows/api/health');
  }

  /** The M sets of a Workflow that whoever is at this page may read. */
  async msets(workflow: string): Promise<IMSet[]> {
    const path = `coflows/api/m?workflow=${encodeURIComponent(workflow)}`;
    return (await this._json<{ sets: IMSet[] }>(path)).sets;
  }

  /**
   * Read entries of an M set, the oldest first.
   *
   * @param after - number of the entry before the first one.
   */
  msetEntries(
    set: ISetName,
    conditions: readonly ICondition[],
    limit: number,
    after: number
  ): Promise<IMPage> {
    return this._json(msetPath(set, { ...conditionsOf(conditions), limit, after }));
  }

  /** Read one value with every digit, which JSON in a browser would not keep. */
  async msetValue(set: ISetName, entry: string): Promise<IMValue> {
    const response = await this._request(msetPath(set, {}, entry));
    const tag = response.headers.get('ETag') ?? '';
    return { text: await response.text(), tag };
  }

  /** Add a value; the answer has the ID of an equal one when there is one already. */
  addToMSet(set: ISetName, text: string): Promise<{ entry: string; reason: string }> {
    return this._json(msetPath(set), { method: 'POST', body: text });
  }

  /**
   * Put a value under an ID.
   *
   * @param tag - of the value that must be there; empty when nothing may be there.
   */
  async putInMSet(set: ISetName, entry: string, text: string, tag: string): Promise<void> {
    await this._request(msetPath(set, {}, entry), {
      method: 'PUT',
      body: text,
      headers: tag ? { 'If-Match': tag } : { 'If-None-Match': '*' }
    });
  }

  async removeFromMSet(set: ISetName, entry: string): Promise<void> {
    await this._request(msetPath(set, {}, entry), { method: 'DELETE' });
  }

  /** What happened to an entry, the oldest first. */
  async msetHistory(set: ISetName, entry: string): Promise<IMChange[]> {
    const path = msetPath(set, {}, entry, 'history');
    return (await this._json<{ changes: IMChange[] }>(path)).changes;
  }

  /** Everything that happens to an M set after a change; ends when the connection does. */
  msetChanges(set: ISetName, after: number, signal: AbortSignal): AsyncGenerator<IMChange> {
    const name = encodeURIComponent(set.name);
    const query = URLExt.objectToQueryString({ workflow: set.workflow, after });
    // A stream over HTTP would take one of the six connections that a browser has for all of Lab.
    const url = URLExt.join(this.settings.wsUrl, `coflows/api/m-changes/${name}${query}`);
    return readSocket(new this.settings.WebSocket(url), signal) as AsyncGenerator<IMChange>;
  }

  /** The address of what meets the conditions, for callers elsewhere. */
  msetAddress(set: ISetName, conditions: readonly ICondition[]): string {
    return this.address(msetPath(set, conditionsOf(conditions)));
  }

  /** Who is at this page. */
  me(): Promise<IMe> {
    return this._json('coflows/api/me');
  }

  /** Say what whoever is at this page is called. */
  async setName(first: string, last: string): Promise<void> {
    const body = JSON.stringify({ first_name: first, last_name: last });
    await this._request('coflows/api/me/name', { method: 'PUT', body });
  }

  /** Give whoever is at this page a new password; their other sessions end. */
  async setPassword(old: string, password: string): Promise<void> {
    const body = JSON.stringify({ old, new: password });
    await this._request('coflows/api/me/password', { method: 'POST', body });
  }

  /** The keys of whoever is at this page. */
  async keys(): Promise<IKey[]> {
    return (await this._json<{ keys: IKey[] }>('coflows/api/me/keys')).keys;
  }

  createKey(wish: IKeyWish): Promise<INewKey> {
    return this._post('coflows/api/me/keys', { ...wish });
  }

  async revokeKey(id: string): Promise<void> {
    await this._request(`coflows/api/me/keys/${encodeURIComponent(id)}`, { method: 'DELETE' });
  }

  /** Who is in a group. */
  async members(group: string): Promise<IMember[]> {
    return (await this._json<{ members: IMember[] }>(membersPath(group))).members;
  }

  /** Give a person a level in a group; `expires` as of a key. */
  async setMember(group: string, user: string, level: Level, expires: string): Promise<void> {
    await this._request(memberPath(group, user), {
      method: 'PUT',
      body: JSON.stringify({ level, expires })
    });
  }

  async removeMember(group: string, user: string): Promise<void> {
    await this._request(memberPath(group, user), { method: 'DELETE' });
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

  /** Add a source to package.json; a Build shows it. */
  addSource(id: string, source: INewSource): Promise<{ id: string; path: string | null }> {
    return this._post(`${workflowPath(id)}/sources`, { ...source });
  }

  /** Make a Workflow in a folder below the Lab root. */
  newWorkflow(folder: string, name: string): Promise<{ path: string }> {
    return this._post('coflows/api/templates/workflow', { folder, name });
  }

  /** The JSON Schema of a file of every Workflow. */
  schema(name: string): Promise<JSONSchema7> {
    return this._json(`coflows/api/schemas/${name}`);
  }

  /** The address that anybody else would use. */
  address(path: string): string {
    return URLExt.join(this.settings.baseUrl, path);
  }

  /**
   * Call a function; when it takes longer than a second, the answer is the run that goes on.
   *
   * @param body - an object gives arguments by name, an array by position.
   * @param signal - aborting it closes the connection, which cancels the call on the server.
   */
  async call(target: IFunction, body: JSONValue, signal: AbortSignal): Promise<IAnswer | IRun> {
    const start = performance.now();
    const response = await this._request(target.url, {
      method: 'POST',
      body: JSON.stringify(body),
      headers: {
        'Content-Type': 'application/json',
        Prefer: 'respond-async, wait=1',
        ...DOOR
      },
      signal
    });
    return isLater(response)
      ? ((await response.json()) as IRun)
      : readBody(response, (performance.now() - start) / 1000);
  }

  /** List runs, the latest first, those that go on before all others. */
  async runs(filter: IRunFilter): Promise<IRun[]> {
    const given = Object.entries(filter).filter(([, value]) => value !== '');
    const query = URLExt.objectToQueryString(Object.fromEntries(given));
    return (await this._json<{ runs: IRun[] }>(`coflows/api/runs${query}`)).runs;
  }

  /** What a run gave back, as its call would have. */
  async result(run: IRun): Promise<IAnswer> {
    return readBody(await this._request(`${runPath(run.id)}/result`), run.seconds);
  }

  /** Everything a run logs and reports, from its start to its end. */
  async *runEvents(id: string, signal: AbortSignal): AsyncGenerator<IServerEvent> {
    yield* readEvents(await this._request(`${runPath(id)}/events`, { signal }));
  }

  /** Ask a run to stop. */
  cancelRun(id: string): Promise<IRun> {
    return this._json(`${runPath(id)}/cancel`, { method: 'POST' });
  }

  /** Call again with the same arguments, without waiting for the result. */
  rerun(id: string): Promise<IRun> {
    return this._json(`${runPath(id)}/rerun`, {
      method: 'POST',
      headers: { Prefer: 'respond-async', ...DOOR }
    });
  }

  async agents(workflow: string): Promise<IAgent[]> {
    const path = `${workflowPath(workflow)}/agents`;
    return (await this._json<{ agents: IAgent[] }>(path)).agents;
  }

  /** List runs of Agents, the latest first. */
  async agentRuns(
    workflow: string,
    filter: { agent?: string; limit: number }
  ): Promise<IAgentRun[]> {
    const path = `${workflowPath(workflow)}/agent-runs${URLExt.objectToQueryString(filter)}`;
    return (await this._json<{ runs: IAgentRun[] }>(path)).runs;
  }

  /** Start, pause or stop an Agent, or run its job now. */
  async tellAgent(
    workflow: string,
    agent: string,
    action: 'start' | 'pause' | 'stop' | 'run'
  ): Promise<void> {
    await this._post(`${agentPath(workflow, agent)}/${action}`, {});
  }

  /** Give an Agent a message; answers with what it returns. */
  async sendToAgent(workflow: string, agent: string, data: string): Promise<IAnswer> {
    const start = performance.now();
    const response = await this._request(`${agentPath(workflow, agent)}/send`, {
      method: 'POST',
      body: JSON.stringify({ data }),
      headers: { 'Content-Type': 'application/json', ...DOOR }
    });
    return readBody(response, (performance.now() - start) / 1000);
  }

  /**
   * Why an Agent did or did not run.
   *
   * @param at - ISO 8601.
   */
  async explain(workflow: string, agent: string, at: string): Promise<string[]> {
    const path = `${agentPath(workflow, agent)}/explain${URLExt.objectToQueryString({ at })}`;
    return (await this._json<{ sentences: string[] }>(path)).sentences;
  }

  async cancelAgentRun(workflow: string, run: string): Promise<void> {
    const path = `${workflowPath(workflow)}/agent-runs/${encodeURIComponent(run)}/cancel`;
    await this._post(path, {});
  }

  /** Where Lab has the executed copy of a notebook; empty when it shows no such file. */
  async agentNotebook(workflow: string, run: string): Promise<string> {
    const path = `${workflowPath(workflow)}/agent-runs/${encodeURIComponent(run)}/notebook`;
    const response = await this._request(path);
    return decodeURIComponent(response.headers.get('Content-Location') ?? '');
  }

  /** What a notebook can be executed with, and when it is. */
  notebookJobs(
    workflow: string,
    path: string
  ): Promise<{ parameters: INotebookParameter[]; jobs: INotebookJob[] }> {
    const query = URLExt.objectToQueryString({ path });
    return this._json(`${workflowPath(workflow)}/notebook-jobs${query}`);
  }

  /** Let a notebook run on a schedule, or change when; a Build puts it to work. */
  async scheduleNotebook(workflow: string, path: string, job: INotebookJob): Promise<void> {
    await this._post(`${workflowPath(workflow)}/notebook-jobs`, { ...job, path });
  }

  /** Let a notebook no longer run. */
  async unscheduleNotebook(workflow: string, path: string, id: string): Promise<void> {
    const query = URLExt.objectToQueryString({ path, id });
    await this._request(`${workflowPath(workflow)}/notebook-jobs${query}`, { method: 'DELETE' });
  }

  /** Say what a schedule means. */
  schedule(text: string): Promise<ISchedulePreview> {
    return this._post('coflows/api/schedule', { text });
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

function isLater(response: Response): boolean {
  return response.status === 202 && response.headers.get('Preference-Applied') === 'respond-async';
}

async function readBody(response: Response, seconds: number): Promise<IAnswer> {
  return {
    contentType: response.headers.get('Content-Type') ?? '',
    body: await response.blob(),
    runId: response.headers.get('X-Run-Id') ?? '',
    seconds
  };
}

function msetPath(
  { workflow, name }: ISetName,
  query: Record<string, string | number> = {},
  ...entry: string[]
): string {
  const path = ['coflows/api/m', ...[name, ...entry].map(encodeURIComponent)].join('/');
  return path + URLExt.objectToQueryString({ workflow, ...query });
}

/** Conditions as the query string has them; the operator keeps fields apart from what else stands there. */
function conditionsOf(conditions: readonly ICondition[]): Record<string, string> {
  return Object.fromEntries(conditions.map(({ field, op, value }) => [`${field}__${op}`, value]));
}

function membersPath(group: string): string {
  return `coflows/api/groups/${encodeURIComponent(group)}/members`;
}

function memberPath(group: string, user: string): string {
  return `${membersPath(group)}/${encodeURIComponent(user)}`;
}

function runPath(id: string): string {
  return `coflows/api/runs/${encodeURIComponent(id)}`;
}

function workflowPath(id: string): string {
  return `coflows/api/workflows/${encodeURIComponent(id)}`;
}

function agentPath(workflow: string, agent: string): string {
  return `${workflowPath(workflow)}/agents/${encodeURIComponent(agent)}`;
}
