import { ServerConnection } from '@jupyterlab/services';
import type { IDisposable, IObservableDisposable } from '@lumino/disposable';
import { Signal, type ISignal } from '@lumino/signaling';
import { ApiError, type Api } from '../../api';
import type { Connection } from '../../connection';
import type { IBuildReport, ICatalog, IEngineEvent, IProblem, IWorkflow } from '../../rest';

/**
 * What stands between this page and the Workflows.
 *
 * `absent`: the server has no CoFlows extension; `signed-out`: the page's session has ended.
 */
export type Availability = 'connecting' | 'ready' | 'lost' | 'signed-out' | 'absent' | 'failed';

/** The Workflows of the server as this page last saw them. */
export class CoflowsModel implements IDisposable {
  constructor(
    private _api: Api,
    private _connection: Connection
  ) {
    _connection.stateChanged.connect(this._onConnection, this);
    _connection.opened.connect(this._touch, this);
    _connection.event.connect(this._onEvent, this);
  }

  /** Emitted when anything below changed. */
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  get availability(): Availability {
    return this._connection.state === 'lost' ? 'lost' : this._availability;
  }

  /** Why the server refused to tell; null when it did not. */
  get problem(): IProblem | null {
    return this._problem;
  }

  get workflows(): readonly IWorkflow[] {
    return this._workflows;
  }

  /** The Workflow that is shown, with Lab paths; null when there is none. */
  get workflow(): IWorkflow | null {
    return this._workflow;
  }

  get catalog(): ICatalog | null {
    return this._catalog;
  }

  get building(): boolean {
    return this._building || this._workflow?.state === 'building';
  }

  /** The last step that the running build told; null when none runs. */
  get progress(): IEngineEvent | null {
    return this.building ? this._progress : null;
  }

  /** Whether somebody looks. Nothing is fetched otherwise, except on demand. */
  get active(): boolean {
    return this._active;
  }
  set active(active: boolean) {
    this._active = active;
    if (active && this._stale) {
      void this.refresh();
    }
  }

  /** Fetch what changes for as long as something that shows it lives, whether the panel is open or not. */
  follow(follower: IObservableDisposable): void {
    this._followers++;
    follower.disposed.connect(() => {
      this._followers--;
    });
    if (this._stale) {
      void this.refresh();
    }
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  dispose(): void {
    this._isDisposed = true;
    Signal.clearData(this);
  }

  /** Show another Workflow of the server. */
  async select(id: string): Promise<void> {
    if (id !== this._workflow?.id) {
      this._wanted = id;
      this._catalog = null;
      this._workflow = this._workflows.find(workflow => workflow.id === id) ?? null;
      this._changed.emit();
      await this.refresh();
    }
  }

  /** The page to try the functions of the Workflow that is shown; empty when there is none. */
  get apiPage(): string {
    return this._flow('docs');
  }

  /** The address of its OpenAPI document; empty when there is none. */
  get openApi(): string {
    return this._flow('openapi');
  }

  private _flow(kind: string): string {
    const id = this._workflow?.id;
    return id ? this._api.address(`flow/${kind}/${encodeURIComponent(id)}`) : '';
  }

  /** Fetch the state again; never rejects. Calls made meanwhile share one further fetch. */
  refresh(): Promise<void> {
    this._stale = true;
    this._refreshing ??= this._drain();
    return this._refreshing;
  }

  /**
   * Build the Workflow that is shown.
   *
   * @throws ApiError when the server refuses.
   */
  async build(): Promise<IBuildReport> {
    const id = this._workflow?.id;
    if (id === undefined) {
      throw new Error('There is no Workflow to build.');
    }
    this._building = true;
    this._progress = null;
    this._changed.emit();
    try {
      return await this._api.build(id);
    } finally {
      this._building = false;
      await this.refresh();
    }
  }

  private async _drain(): Promise<void> {
    while (this._stale) {
      this._stale = false;
      try {
        await this._load();
        this._availability = 'ready';
        this._problem = null;
      } catch (error) {
        this._fail(error);
      }
      this._changed.emit();
    }
    this._refreshing = null;
  }

  private async _load(): Promise<void> {
    this._workflows = await this._api.workflows();
    const chosen = this._workflows.find(({ id }) => id === this._wanted) ?? this._workflows.at(0);
    if (!chosen) {
      this._workflow = null;
      this._catalog = null;
      return;
    }
    const [workflow, catalog] = await Promise.all([
      this._api.workflow(chosen.id),
      this._api.catalog(chosen.id)
    ]);
    if (chosen.id === (this._wanted ?? chosen.id)) {
      this._workflow = workflow;
      this._catalog = catalog;
    }
  }

  private _fail(error: unknown): void {
    if (error instanceof ServerConnection.NetworkError) {
      this._stale = false;
      this._connection.reportFailure();
      return;
    }
    this._problem =
      error instanceof ApiError
        ? error.problem
        : { title: 'The answer of the server is unreadable', status: 0, detail: String(error) };
    this._availability = availabilityOf(this._problem.status);
  }

  private _touch(): void {
    if (this._active || this._followers > 0) {
      void this.refresh();
    } else {
      this._stale = true;
    }
  }

  private _onConnection(): void {
    if (this._connection.state === 'online') {
      this._touch();
    }
    this._changed.emit();
  }

  private _onEvent(_: Connection, event: IEngineEvent): void {
    if (event.kind === 'runs') {
      return;
    }
    if (event.workflow === this._workflow?.id && event.kind !== 'catalog') {
      // The event is newer than what the last fetch said; the next one is on its way.
      this._workflow = { ...this._workflow, state: event.state };
      if (event.kind !== 'host') {
        this._progress = event.step ? event : null;
      }
      this._changed.emit();
    }
    this._touch();
  }

  private _active = false;
  private _availability: Availability = 'connecting';
  private _building = false;
  private _catalog: ICatalog | null = null;
  private _changed = new Signal<this, void>(this);
  private _followers = 0;
  private _isDisposed = false;
  private _problem: IProblem | null = null;
  private _progress: IEngineEvent | null = null;
  private _refreshing: Promise<void> | null = null;
  private _stale = true;
  private _wanted: string | null = null;
  private _workflow: IWorkflow | null = null;
  private _workflows: IWorkflow[] = [];
}

function availabilityOf(status: number): Availability {
  switch (status) {
    case 401:
    case 403:
      return 'signed-out';
    case 404:
      return 'absent';
    default:
      return 'failed';
  }
}
