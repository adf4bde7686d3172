import type { Api } from '../../api';
import type { Connection } from '../../connection';
import { followRun, NOTHING_YET, type IActivity } from '../../follow';
import { readAnswer } from '../../result';
import type { IEngineEvent, IRun } from '../../rest';
import { SectionModel } from '../model';
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
export class RunsModel extends SectionModel {
  constructor(api: Api, model: CoflowsModel, connection: Connection) {
    super(api, model, connection);
    connection.event.connect(this._onEvent, this);
  }

  /** Runs, those that go on before all others, then the latest first. */
  get runs(): readonly IRun[] {
    return this._runs;
  }

  /** The caller's ID of whoever is at this page; empty as long as it is unknown. */
  get me(): string {
    return this._me;
  }

  /** Whether there are older ones. */
  get more(): boolean {
    return this._more;
  }

  get filter(): IFilter {
    return this._filter;
  }

  /** The run whose details are shown; null when none is. */
  get details(): IDetails | null {
    return this._details;
  }

  override dispose(): void {
    this._following?.abort();
    super.dispose();
  }

  find(id: string): IRun | null {
    return this._details?.run.id === id
      ? this._details.run
      : (this._runs.find(run => run.id === id) ?? null);
  }

  setFilter(change: Partial<IFilter>): void {
    this._filter = { ...this._filter, ...change };
    this._clear();
    this.reset();
  }

  /** Fetch older runs; never rejects. */
  async loadMore(): Promise<void> {
    const { _filter: filter, workflow } = this;
    const before = this._runs.filter(({ outcome }) => outcome !== 'running').at(-1)?.id ?? '';
    await this.attempt(async () => {
      const older = await this.api.runs({ ...filter, workflow, before, limit: PAGE });
      if (filter === this._filter && workflow === this.workflow) {
        const known = new Set(this._runs.map(({ id }) => id));
        this._runs = [...this._runs, ...older.filter(({ id }) => !known.has(id))];
        this._more = older.length === PAGE;
      }
    });
    this.emit();
  }

  /** Show the details of a run; null shows none. */
  open(run: IRun | null): void {
    this._following?.abort();
    this._details = run && { run, activity: NOTHING_YET };
    this.emit();
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
    this.emit();
    try {
      await this.api.cancelRun(id);
    } catch (error) {
      this._stopping.delete(id);
      throw error;
    } finally {
      this.touch();
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
    const run = await this.api.rerun(id);
    this._runs = [run, ...this._runs];
    this.open(run);
    this.touch();
  }

  /**
   * What a run gave back.
   *
   * @throws ApiError when it is not kept any more.
   */
  async result(run: IRun): Promise<ISuccess> {
    const answer = await this.api.result(run);
    return { kind: 'result', answer, result: await readAnswer(answer) };
  }

  /** The address of the function of a run, for callers elsewhere. */
  address({ workflow, query, function: name }: IRun): string {
    const path = [workflow, query, name].map(encodeURIComponent).join('/');
    return this.api.address(`flow/query/${path}`);
  }

  private _follow(run: IRun): void {
    this._following?.abort();
    const controller = new AbortController();
    this._following = controller;
    const tell = (run: IRun, activity: IActivity) => {
      if (!controller.signal.aborted) {
        this._details = { run, activity };
        this.emit();
      }
    };
    let last = NOTHING_YET;
    followRun(this.api, run.id, controller.signal, activity => {
      last = activity;
      tell(run, activity);
    })
      .then(end => tell(end, last))
      .catch((error: unknown) => {
        if (!controller.signal.aborted) {
          this.fail(error);
          this.emit();
        }
      });
  }

  protected override async fetch(workflow: string): Promise<void> {
    const filter = this._filter;
    this._me ||= (await this.api.me()).id;
    const latest = await this.api.runs({ ...filter, workflow, limit: PAGE });
    if (filter === this._filter && workflow === this.workflow) {
      const full = latest.length === PAGE;
      const merged = full ? merge(latest, this._runs) : latest;
      this._more = full && (merged === latest || this._more);
      this._runs = merged;
    }
  }

  protected override forget(): void {
    this._filter = EVERYTHING;
    this._clear();
    this.open(null);
  }

  protected override onActive(active: boolean): void {
    if (!active) {
      this._following?.abort();
    } else if (this._details?.run.outcome === 'running') {
      this._follow(this._details.run);
    }
  }

  private _clear(): void {
    this._runs = [];
    this._more = false;
  }

  private _onEvent(_: Connection, event: IEngineEvent): void {
    if (event.kind === 'runs' && event.workflow === this.workflow) {
      this.touch();
    }
  }

  private _details: IDetails | null = null;
  private _filter = EVERYTHING;
  private _following: AbortController | null = null;
  private _me = '';
  private _more = false;
  private _runs: IRun[] = [];
  private _stopping = new Set<string>();
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
