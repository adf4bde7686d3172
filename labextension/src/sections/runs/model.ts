import type { IDisposable } from '@lumino/disposable';
import { Signal, type ISignal } from '@lumino/signaling';
import type { Api } from '../../api';
import type { Connection } from '../../connection';
import { followRun, NOTHING_YET, type IActivity } from '../../follow';
import { readAnswer } from '../../result';
import type { IEngineEvent, IRun } from '../../tokens';
import type { ISuccess } from '../queries/model';
import type { CoflowsModel } from '../workflow/model';

/** Which runs are shown; empty does not narrow. */
export interface IFilter {
  text: string;
  outcome: string;
  query: string;
}

/** The run whose details are shown. */
export interface IDetails {
  readonly run: IRun;
  readonly activity: IActivity;
}

const PAGE = 50;
const EVERYTHING: IFilter = { text: '', outcome: '', query: '' };

/** The history of the Workflow that is shown, kept up to date while somebody looks. */
export class RunsModel implements IDisposable {
  constructor(
    private _api: Api,
    private _model: CoflowsModel,
    connection: Connection
  ) {
    connection.event.connect(this._onEvent, this);
    connection.opened.connect(this._touch, this);
    _model.changed.connect(this._onModel, this);
  }

  /** Emitted when anything below changed. */
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** Runs, those that go on before all others, then the latest first. */
  get runs(): readonly IRun[] {
    return this._runs;
  }

  /** Whether the runs were asked for once. */
  get known(): boolean {
    return this._known;
  }

  /** The caller's ID of whoever is at this page; empty as long as it is unknown. */
  get me(): string {
    return this._me;
  }

  /** Whether there are older ones. */
  get more(): boolean {
    return this._more;
  }

  /** Why the server did not tell; empty when it did. */
  get problem(): string {
    return this._problem;
  }

  get filter(): IFilter {
    return this._filter;
  }

  /** The run whose details are shown; null when none is. */
  get details(): IDetails | null {
    return this._details;
  }

  /** Whether somebody looks. Nothing is fetched otherwise. */
  get active(): boolean {
    return this._active;
  }
  set active(active: boolean) {
    this._active = active;
    if (!active) {
      this._following?.abort();
    } else {
      if (this._stale) {
        void this.refresh();
      }
      if (this._details?.run.outcome === 'running') {
        this._follow(this._details.run);
      }
    }
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  dispose(): void {
    this._isDisposed = true;
    this._following?.abort();
    Signal.clearData(this);
  }

  find(id: string): IRun | null {
    return this._details?.run.id === id
      ? this._details.run
      : (this._runs.find(run => run.id === id) ?? null);
  }

  setFilter(change: Partial<IFilter>): void {
    this._filter = { ...this._filter, ...change };
    this._reset();
  }

  /** Fetch the runs again; never rejects. */
  refresh(): Promise<void> {
    this._stale = true;
    this._refreshing ??= this._drain();
    return this._refreshing;
  }

  /** Fetch older runs; never rejects. */
  async loadMore(): Promise<void> {
    const { _filter: filter, _workflow: workflow } = this;
    const before = this._runs.filter(({ outcome }) => outcome !== 'running').at(-1)?.id ?? '';
    await this._ask(async () => {
      const older = await this._api.runs({ ...filter, workflow, before, limit: PAGE });
      if (filter === this._filter && workflow === this._workflow) {
        const known = new Set(this._runs.map(({ id }) => id));
        this._runs = [...this._runs, ...older.filter(({ id }) => !known.has(id))];
        this._more = older.length === PAGE;
      }
    });
    this._changed.emit();
  }

  /** Show the details of a run; null shows none. */
  open(run: IRun | null): void {
    this._following?.abort();
    this._details = run && { run, activity: NOTHING_YET };
    this._changed.emit();
    if (run) {
      this._follow(run);
    }
  }

  /**
   * Ask a run to stop.
   *
   * @throws ApiError when the server refuses.
   */
  async cancel(id: string): Promise<void> {
    this._stopping.add(id);
    this._changed.emit();
    try {
      await this._api.cancelRun(id);
    } catch (error) {
      this._stopping.delete(id);
      throw error;
    } finally {
      this._touch();
    }
  }

  /** Whether a run was asked to stop from here. */
  isStopping(id: string): boolean {
    return this._stopping.has(id);
  }

  /**
   * Call again with the same arguments, and show how that goes.
   *
   * @throws ApiError when the server refuses.
   */
  async again(id: string): Promise<void> {
    const run = await this._api.rerun(id);
    this._runs = [run, ...this._runs];
    this.open(run);
    this._touch();
  }

  /**
   * What a run gave back.
   *
   * @throws ApiError when it is not kept any more.
   */
  async result(run: IRun): Promise<ISuccess> {
    const answer = await this._api.result(run);
    return { kind: 'result', answer, result: await readAnswer(answer) };
  }

  /** The address of the function of a run, for callers elsewhere. */
  address({ workflow, query, function: name }: IRun): string {
    const path = [workflow, query, name].map(encodeURIComponent).join('/');
    return this._api.address(`flow/query/${path}`);
  }

  private _follow(run: IRun): void {
    this._following?.abort();
    const controller = new AbortController();
    this._following = controller;
    const tell = (run: IRun, activity: IActivity) => {
      if (!controller.signal.aborted) {
        this._details = { run, activity };
        this._changed.emit();
      }
    };
    let last = NOTHING_YET;
    followRun(this._api, run.id, controller.signal, activity => {
      last = activity;
      tell(run, activity);
    })
      .then(end => tell(end, last))
      .catch((error: unknown) => {
        if (!controller.signal.aborted) {
          this._problem = textOf(error);
          this._changed.emit();
        }
      });
  }

  private async _drain(): Promise<void> {
    while (this._stale) {
      this._stale = false;
      const { _filter: filter, _workflow: workflow } = this;
      if (workflow) {
        await this._ask(async () => {
          this._me ||= await this._api.me();
          const latest = await this._api.runs({ ...filter, workflow, limit: PAGE });
          if (filter === this._filter && workflow === this._workflow) {
            const full = latest.length === PAGE;
            const merged = full ? merge(latest, this._runs) : latest;
            this._more = full && (merged === latest || this._more);
            this._runs = merged;
            this._known = true;
          }
        });
        this._changed.emit();
      }
    }
    this._refreshing = null;
  }

  private async _ask(work: () => Promise<void>): Promise<void> {
    try {
      await work();
      this._problem = '';
    } catch (error) {
      this._problem = textOf(error);
    }
  }

  private _reset(): void {
    this._runs = [];
    this._known = false;
    this._more = false;
    this._changed.emit();
    this._touch();
  }

  private _touch(): void {
    if (this._active) {
      void this.refresh();
    } else {
      this._stale = true;
    }
  }

  private _onModel(): void {
    const id = this._model.workflow?.id ?? '';
    if (id !== this._workflow) {
      this._workflow = id;
      this._filter = EVERYTHING;
      this.open(null);
      this._reset();
    }
  }

  private _onEvent(_: Connection, event: IEngineEvent): void {
    if (event.kind === 'runs' && event.workflow === this._workflow) {
      this._touch();
    }
  }

  private _active = false;
  private _changed = new Signal<this, void>(this);
  private _details: IDetails | null = null;
  private _filter = EVERYTHING;
  private _following: AbortController | null = null;
  private _isDisposed = false;
  private _known = false;
  private _me = '';
  private _more = false;
  private _problem = '';
  private _refreshing: Promise<void> | null = null;
  private _runs: IRun[] = [];
  private _stale = true;
  private _stopping = new Set<string>();
  private _workflow = '';
}

/**
 * Put the latest runs before those that are known.
 *
 * @returns `latest` itself when there may be a gap between it and them.
 */
export function merge(latest: IRun[], known: readonly IRun[]): IRun[] {
  const seen = new Set(latest.map(({ id }) => id));
  const older = known.filter(({ id, outcome }) => !seen.has(id) && outcome !== 'running');
  const meets = known.some(({ id, outcome }) => outcome !== 'running' && seen.has(id));
  return meets && older.length > 0 ? [...latest, ...older] : latest;
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
