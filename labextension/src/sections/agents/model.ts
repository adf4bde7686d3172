import { Signal, type ISignal } from '@lumino/signaling';
import type { Api } from '../../api';
import type { Connection } from '../../connection';
import { followRun, NOTHING_YET, type IActivity } from '../../follow';
import { readAnswer } from '../../result';
import type { AgentMode, IAgent, IAgentRun, IEngineEvent, ISchedulePreview } from '../../rest';
import { SectionModel } from '../model';
import type { ISuccess } from '../queries/model';
import type { CoflowsModel } from '../workflow/model';

const RUNS = 10;
/** Milliseconds that a tick has to get its row. */
const SETTLE = 1500;
const LONGEST_TIMER = 2 ** 31 - 1;

const ACTIONS = { started: 'start', paused: 'pause', stopped: 'stop' } as const;

/** The run of an Agent whose details are shown. */
export interface IAgentRunDetails {
  readonly run: IAgentRun;
  readonly activity: IActivity;
}

/** The Agents of the Workflow that is shown, and the runs of the one that is open. */
export class AgentsModel extends SectionModel {
  constructor(api: Api, model: CoflowsModel, connection: Connection) {
    super(api, model, connection);
    connection.event.connect(this._onEvent, this);
  }

  /** Emitted for each run that failed for good while this page was open. */
  get failed(): ISignal<this, IAgentRun> {
    return this._failed;
  }

  get agents(): readonly IAgent[] {
    return this._agents;
  }

  /** The Agent that is open; null when none is. */
  get selected(): IAgent | null {
    return this.find(this._selected);
  }

  /** Runs of the Agent that is open, the latest first. */
  get runs(): readonly IAgentRun[] {
    return this._runs;
  }

  get details(): IAgentRunDetails | null {
    return this._details;
  }

  override dispose(): void {
    super.dispose();
    this._following?.abort();
    clearTimeout(this._timer);
  }

  find(id: string): IAgent | null {
    return this._agents.find(agent => agent.id === id) ?? null;
  }

  findRun(id: string): IAgentRun | null {
    return this._runs.find(run => run.run_id === id) ?? null;
  }

  /** Show an Agent with its runs; the empty ID shows none. */
  async select(id: string): Promise<void> {
    if (id !== this._selected) {
      this._selected = id;
      this._runs = [];
      this.open(null);
    }
    await this.refresh();
  }

  /** Show the details of a run of the Agent that is open; null shows none. */
  open(run: IAgentRun | null): void {
    this._details = run && { run, activity: NOTHING_YET };
    this.emit();
    this._follow();
  }

  /**
   * Start, pause or stop an Agent.
   *
   * @throws ApiError when the server refuses.
   */
  async switch(id: string, mode: AgentMode): Promise<void> {
    await this.api.tellAgent(this.workflow, id, ACTIONS[mode]);
    await this.refresh();
  }

  /**
   * Run an Agent's job now.
   *
   * @throws ApiError when the server refuses.
   */
  async runNow(id: string): Promise<void> {
    await this.api.tellAgent(this.workflow, id, 'run');
    await this.refresh();
  }

  /**
   * Give an Agent a message; returns its answer.
   *
   * @throws ApiError when it failed or the server refuses.
   */
  async send(id: string, text: string): Promise<ISuccess> {
    const answer = await this.api.sendToAgent(this.workflow, id, text);
    return { kind: 'result', answer, result: await readAnswer(answer) };
  }

  /**
   * Why an Agent did or did not run, in sentences.
   *
   * @param at - ISO 8601.
   */
  explain(id: string, at: string): Promise<string[]> {
    return this.api.explain(this.workflow, id, at);
  }

  /** Stop a run of an Agent. */
  async cancel(run: string): Promise<void> {
    await this.api.cancelAgentRun(this.workflow, run);
    await this.refresh();
  }

  /**
   * What a schedule means.
   *
   * @throws ApiError when it can't be read.
   */
  preview(text: string): Promise<ISchedulePreview> {
    return this.api.schedule(text);
  }

  protected override async fetch(workflow: string): Promise<void> {
    const selected = this._selected;
    const agents = await this.api.agents(workflow);
    // The one that is open may be gone.
    const runs = agents.some(({ id }) => id === selected)
      ? await this.api.agentRuns(workflow, { agent: selected, limit: RUNS })
      : [];
    if (workflow === this.workflow && selected === this._selected) {
      this._take(agents, runs);
    }
  }

  protected override forget(): void {
    this._agents = [];
    this._runs = [];
    this._selected = '';
    this._since = new Date().toISOString();
    this.open(null);
  }

  protected override onActive(active: boolean): void {
    if (active) {
      this._follow();
      this._awaitTick();
    } else {
      this._following?.abort();
      clearTimeout(this._timer);
    }
  }

  private _take(agents: IAgent[], runs: IAgentRun[]): void {
    this._agents = agents;
    this._runs = runs;
    this._awaitTick();
    const details = this._details;
    const run = details && this.findRun(details.run.run_id);
    if (details && run) {
      this._details = { ...details, run };
      if (run.attempt !== details.run.attempt) {
        this._follow();
      }
    }
  }

  /** Look again when the next tick has come: a skipped one is no event. */
  private _awaitTick(): void {
    clearTimeout(this._timer);
    const next = this._agents.flatMap(({ upcoming }) => upcoming.slice(0, 1));
    const first = Math.min(...next.map(at => Date.parse(at)));
    if (this.active && isFinite(first)) {
      const pause = Math.max(0, first - Date.now()) + SETTLE;
      this._timer = setTimeout(() => this.touch(), Math.min(pause, LONGEST_TIMER));
    }
  }

  /** Follow the run whose details are shown, if it ever began. */
  private _follow(): void {
    this._following?.abort();
    const details = this._details;
    if (!details || !this.active || details.run.attempt === 0) {
      return;
    }
    const controller = new AbortController();
    this._following = controller;
    const { run_id: id, attempt } = details.run;
    const name = attempt > 1 ? `${id}.${attempt}` : id;
    followRun(this.api, name, controller.signal, activity => {
      if (!controller.signal.aborted && this._details) {
        this._details = { ...this._details, activity };
        this.emit();
      }
    }).catch(() => {
      // What an old run printed is kept for a while only; the row says how it ended.
    });
  }

  private async _look(): Promise<void> {
    const { workflow, _since: since } = this;
    const runs = await this.api.agentRuns(workflow, { limit: 20 });
    const over = runs.filter(run => (run.ended_at ?? '') > since);
    for (const run of over.reverse()) {
      if (['failed', 'timed_out', 'lost'].includes(run.state) && !this._told.has(run.run_id)) {
        this._told.add(run.run_id);
        this._failed.emit(run);
      }
    }
  }

  private _onEvent(_: Connection, event: IEngineEvent): void {
    if (event.workflow !== this.workflow) {
      return;
    }
    if (event.kind === 'agents' || event.kind === 'build') {
      this.touch();
    }
    if (event.kind === 'agents' && event.message) {
      this._look().catch(() => undefined);
    }
  }

  private _agents: IAgent[] = [];
  private _details: IAgentRunDetails | null = null;
  private _failed = new Signal<this, IAgentRun>(this);
  private _following: AbortController | null = null;
  private _runs: IAgentRun[] = [];
  private _selected = '';
  private _since = '';
  private _timer: ReturnType<typeof setTimeout> | undefined;
  private _told = new Set<string>();
}
