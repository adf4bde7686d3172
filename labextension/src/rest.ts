/** What the server's native REST API answers and takes. */

import type { JSONObject, JSONValue } from '@lumino/coreutils';

export type Severity = 'error' | 'warning' | 'info';

export interface IDiagnostic {
  /** Absolute path on the server. */
  file: string;
  /** Path below the Lab root, or null when Lab can't open the file. */
  path?: string | null;
  /** 1-based; 0 means the whole file. */
  line: number;
  /** 1-based; 0 means the whole line. */
  column: number;
  severity: Severity;
  code: string;
  message: string;
  hint: string;
}

export interface IHost {
  name: string;
  pid: number;
  state: 'starting' | 'loading' | 'serving' | 'draining' | 'spare';
  in_flight: number;
}

/** How the server proves who it is; times are empty where there is none. */
export interface ICertificate {
  /** `off`: plain HTTP; `failed`: no new one could be had, whatever is shown meanwhile. */
  state: 'off' | 'waiting' | 'issuing' | 'valid' | 'failed';
  source: '' | 'temporary' | 'files' | 'letsencrypt';
  issuer: string;
  ends: string;
  reason: string;
  next_try: string;
}

export interface IWorkflow {
  id: string;
  name: string;
  folder: string;
  /** Folder below the Lab root, or null; absent in the list of all Workflows. */
  path?: string | null;
  /** Its two files below the Lab root. */
  config_path?: string | null;
  package_path?: string | null;
  /** The server's; absent in the list of all Workflows. */
  certificate?: ICertificate;
  config: string;
  mode: 'process' | 'embedded';
  state: 'starting' | 'building' | 'serving' | 'failed' | 'stopped';
  build: { id: string; ok: boolean; seconds: number; at: string } | null;
  hosts: IHost[];
  diagnostics: IDiagnostic[];
  reasons: string[];
  watching: boolean;
  crashes: number;
}

/** Lists of package.json that new sources go into. */
export type SourceList = 'Queries' | 'Base';

/** A source to add: a new file by its name, or one that is there by its path below the Lab root. */
export interface INewSource {
  list: SourceList;
  name?: string;
  path?: string;
}

export interface IBuildReport {
  ok: boolean;
  build: string;
  seconds: number;
  diagnostics: IDiagnostic[];
}

export interface IParameter {
  name: string;
  kind: 'positional' | 'keyword' | 'var_positional' | 'var_keyword';
  annotation: string;
  required: boolean;
  /** JSON text of the default value; empty when there is none. */
  default: string;
  schema: JSONObject;
  description: string;
}

export interface IFunction {
  name: string;
  description: string;
  returns: string;
  doc: string;
  line: number;
  /** Nobody may call it, because its documentation can't be read. */
  closed: boolean;
  timeout: number;
  permissions: { group: string; level: number }[] | null;
  /** Whether the person at this page may call it. */
  callable: boolean;
  parameters: IParameter[];
  /** Address below the server's base URL. */
  url: string;
}

export interface IQuery {
  id: string;
  name: string;
  path: string | null;
  language: string;
  info: { title?: string; description?: string };
  functions: IFunction[];
}

export interface ICatalog {
  build: string;
  queries: IQuery[];
}

/** What travels on the event bus: that something changed, never the state itself. */
export interface IEngineEvent {
  workflow: string;
  kind: 'state' | 'build' | 'catalog' | 'host' | 'runs' | 'agents';
  state: IWorkflow['state'];
  message: string;
  step: string;
  done: number;
  total: number;
}

export interface IFieldError {
  field: string;
  message: string;
  value?: string;
}

/** RFC 9457 problem details. */
export interface IProblem {
  type?: string;
  title: string;
  status: number;
  detail: string;
  run_id?: string;
  hint?: string;
  errors?: IFieldError[];
  traceback?: string;
}

/** The body of a successful call. */
export interface IAnswer {
  contentType: string;
  body: Blob;
  runId: string;
  seconds: number;
}

/** How far a run says that it is; `total` is 0 when nobody knows. */
export interface IProgress {
  done: number;
  total: number;
  text: string;
}

export type RunOutcome =
  | 'running'
  | 'succeeded'
  | 'failed'
  | 'timed_out'
  | 'cancelled'
  | 'crashed'
  | 'denied'
  | 'refused'
  | 'lost';

/** A call that was made, or still is. */
export interface IRun {
  id: string;
  workflow: string;
  query: string;
  function: string;
  door: string;
  caller: string;
  /** An object by name, a list by position, or null where they were not kept. */
  arguments: JSONValue;
  /** ISO 8601. */
  started: string;
  seconds: number;
  outcome: RunOutcome;
  /** HTTP status of its answer; 0 while it runs. */
  status: number;
  error: string;
  build: string;
  result_bytes: number;
  progress: IProgress | null;
  /** Whether its result can be fetched. */
  kept: boolean;
}

/** An M set and how many entries it has. */
export interface IMSet {
  id: string;
  entries: number;
}

/** A condition on a field of entries, `address__city` for one inside of an object. */
export interface ICondition {
  field: string;
  op: string;
  /** As the server reads it: JSON, or else a text. */
  value: string;
}

export interface IMEntry {
  entry: string;
  value: JSONValue;
  /** Goes into `after` for those that follow. */
  number: number;
}

/** Entries of an M set, the oldest first. */
export interface IMPage {
  entries: IMEntry[];
  /** The set's latest change when it was read. */
  seq: number;
  /** Absent or 0 when nothing follows. */
  next?: number;
}

/** A value as its text, and the tag that says whether it is still that. */
export interface IMValue {
  text: string;
  tag: string;
}

/** Something that happened to an M set. */
export interface IMChange {
  /** `ready` and `reset` are about the stream: it begins, or what was asked for is not kept any more. */
  op: 'add' | 'exchange' | 'remove' | 'clear' | 'ready' | 'reset';
  seq: number;
  entry: string;
  /** The new value; for `remove` the one that was there. */
  value: JSONValue;
  actor: string;
  /** ISO 8601. */
  at: string;
}

/** -2 invited, -1 denied, 0 view, 1 read, 2 write. */
export type Level = -2 | -1 | 0 | 1 | 2;

/** Who is at this page. */
export interface IMe {
  id: string;
  name: string;
  /** How the server recognised them. */
  source: 'key' | 'lab' | 'session' | 'local' | 'anonymous';
  /** What they may everywhere. */
  level: Level;
  /** What they may on each Workflow, by its ID. */
  permissions: Record<string, Level>;
  email: string;
  first_name: string;
  last_name: string;
  /** Whether they have an account, whose name and password they may change at this page. */
  account: boolean;
}

export type ScopeKind = 'workflow' | 'query' | 'function' | 'm';

/** What a key is limited to: a kind, the ID of what is meant, and whether Write is left. */
export type Scope = [kind: ScopeKind, target: string, write: boolean];

/** A key without its text. Times are ISO 8601, empty for never. */
export interface IKey {
  id: string;
  user: string;
  name: string;
  /** `token` when a log-in made it. */
  kind: string;
  scopes: Scope[];
  created: string;
  expires: string;
  last_used: string;
  revoked: string;
}

/** A key to make; `expires` is a duration (`90d`) or a date, empty for never. */
export interface IKeyWish {
  name: string;
  scopes: string[];
  expires: string;
}

/** A key that was just made; its text is told this once. */
export interface INewKey {
  key: string;
  info: IKey;
}

/** What a person may in a group. */
export interface IMember {
  user: string;
  group: string;
  level: Level;
  /** ISO 8601, empty for never. */
  expires: string;
  /** `package` when package.json says so. */
  source: string;
}

export type AgentMode = 'started' | 'paused' | 'stopped';

/** What runs on its own: on a schedule, when an M set changes, or when a message arrives. */
export interface IAgent {
  id: string;
  name: string;
  description: string;
  /** File that declares it, below the Lab root; empty when Lab can't open it. */
  path: string;
  mode: AgentMode;
  /** Empty without one. */
  schedule: string;
  /** The schedule in plain language. */
  words: string;
  /** The next instants, ISO 8601 in UTC. */
  upcoming: string[];
  /** ID of the M set that it listens to; empty without one. */
  listens: string;
  /** Which of its functions there are. */
  callbacks: string[];
  last: IAgentRun | null;
  /** How it does not keep its schedule's pace, in a sentence; empty when it does. */
  drift: string;
  /** IDs of runs that go on. */
  running: string[];
  /** The notebook that its job executes, below the Lab root; empty for code. */
  notebook: string;
  parameters: JSONObject;
}

export type AgentRunState =
  'due' | 'running' | 'succeeded' | 'failed' | 'timed_out' | 'cancelled' | 'lost' | 'skipped';

/** One reason for an Agent to run, and what became of it; times are ISO 8601. */
export interface IAgentRun {
  run_id: string;
  agent_id: string;
  fire_at: string;
  state: AgentRunState;
  attempt: number;
  owner: string | null;
  started_at: string | null;
  ended_at: string | null;
  /** From when it was due until it began; null where that is not known. */
  late_seconds: number | null;
  reason: string;
  cause: 'schedule' | 'catchup' | 'set' | 'message' | 'manual' | 'backfill';
}

/** A name that the cell tagged `parameters` of a notebook gives a value, which is JSON or Python. */
export interface INotebookParameter {
  name: string;
  value: string;
}

/** When a notebook runs, and with what. */
export interface INotebookJob {
  /** The Agent's ID. */
  id: string;
  /** Empty for by hand only. */
  schedule: string;
  parameters: JSONObject;
}

/** What a schedule means. */
export interface ISchedulePreview {
  words: string;
  upcoming: string[];
}

/** Arguments of a call by name; a parameter that is absent keeps its default. */
export type Arguments = Partial<Record<string, JSONValue>>;
