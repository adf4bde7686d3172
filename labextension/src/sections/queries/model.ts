import type { IDisposable } from '@lumino/disposable';
import { Signal, type ISignal } from '@lumino/signaling';
import { ApiError, type Api } from '../../api';
import { followRun, NOTHING_YET, type IActivity } from '../../follow';
import type { CoflowsModel } from '../workflow/model';
import { readAnswer, type IResult } from '../../result';
import { argumentsOf, bodyOf, draftFrom, draftOf, type Draft } from '../../schema';
import type { Arguments, IAnswer, IFunction, IProblem, IQuery } from '../../rest';

/** A call that gave a result. */
export interface ISuccess {
  kind: 'result';
  answer: IAnswer;
  result: IResult;
}

/** How a call ended. */
export type Outcome = ISuccess | { kind: 'problem'; problem: IProblem } | { kind: 'cancelled' };

/** Names a function of the Workflow that is shown. */
export interface IFunctionName {
  query: string;
  function: string;
}

/** A function found in the catalog, with the Query it belongs to. */
export interface IFound {
  query: IQuery;
  target: IFunction;
}

/** A call that runs. */
export interface ICall {
  /** When it started, as `performance.now()` counts. */
  readonly start: number;
  /** Its run; null as long as the answer may still come at once. */
  readonly run: string | null;
  /** Whether it was asked to stop. */
  readonly stopping: boolean;
  readonly activity: IActivity;
}

interface IRunning extends ICall {
  readonly controller: AbortController;
}

/** The function that is selected, what is typed into its form, and how its last call ended. */
export class CallsModel implements IDisposable {
  constructor(
    private _api: Api,
    private _model: CoflowsModel
  ) {
    _model.changed.connect(() => this._changed.emit(), this);
  }

  /** Emitted when anything below changed. */
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  dispose(): void {
    this._isDisposed = true;
    this._running.forEach(({ controller }) => controller.abort());
    Signal.clearData(this);
  }

  /** The selected name; its function may have left the catalog. */
  get selection(): IFunctionName | null {
    return this._selection;
  }

  /** The selected function, null when none is or when it is gone. */
  get selected(): IFound | null {
    return this._selection && this.find(this._selection);
  }

  find(name: IFunctionName): IFound | null {
    const query = this._model.catalog?.queries.find(({ id }) => id === name.query);
    const target = query?.functions.find(item => item.name === name.function);
    return query && target ? { query, target } : null;
  }

  select(name: IFunctionName | null): void {
    this._selection = name;
    this._changed.emit();
  }

  /** What is typed into a function's form. */
  draft(found: IFound): Draft {
    return draftOf(found.target.parameters, this._drafts.get(this._key(found)));
  }

  setDraft(found: IFound, draft: Draft): void {
    this._drafts.set(this._key(found), draft);
    this._changed.emit();
  }

  /** Fill a function's form with these arguments. */
  setArguments(found: IFound, values: Arguments): void {
    this.setDraft(found, draftFrom(found.target.parameters, values));
  }

  /** The arguments that are typed, as far as they can be read. */
  values(found: IFound): Arguments {
    return argumentsOf(found.target.parameters, this.draft(found)).values;
  }

  /** The call of a function that runs, null when none does. */
  running(found: IFound): ICall | null {
    return this._running.get(this._key(found)) ?? null;
  }

  outcome(found: IFound): Outcome | null {
    return this._outcomes.get(this._key(found)) ?? null;
  }

  /** The address of a function for callers elsewhere. */
  address(found: IFound): string {
    return this._api.address(found.target.url);
  }

  /** Call a function with what is typed; does nothing while a call of it runs or when it may not be called. Never rejects. */
  async run(found: IFound): Promise<void> {
    const key = this._key(found);
    if (this._running.has(key) || !found.target.callable) {
      return;
    }
    const { values, errors } = argumentsOf(found.target.parameters, this.draft(found));
    if (errors.length > 0) {
      this._end(key, { kind: 'problem', problem: { ...UNFIT, errors } });
      return;
    }
    const controller = new AbortController();
    const start = performance.now();
    this._running.set(key, {
      start,
      run: null,
      stopping: false,
      activity: NOTHING_YET,
      controller
    });
    this._changed.emit();
    try {
      const answer = await this._answer(key, found.target, values, controller.signal);
      this._end(
        key,
        answer
          ? { kind: 'result', answer, result: await readAnswer(answer) }
          : { kind: 'cancelled' }
      );
    } catch (error) {
      this._end(key, controller.signal.aborted ? { kind: 'cancelled' } : failure(error));
    }
  }

  /** Cancel the running call of a function, here and on the server. */
  cancel(found: IFound): void {
    const key = this._key(found);
    const running = this._running.get(key);
    if (running?.run) {
      this._update(key, { stopping: true });
      this._api.cancelRun(running.run).catch((error: unknown) => {
        this._end(key, failure(error));
      });
    } else {
      running?.controller.abort();
    }
  }

  /** The answer of a call, however long it takes; null when it was cancelled meanwhile. */
  private async _answer(
    key: string,
    target: IFunction,
    values: Arguments,
    signal: AbortSignal
  ): Promise<IAnswer | null> {
    const answer = await this._api.call(target, bodyOf(target, values), signal);
    if ('body' in answer) {
      return answer;
    }
    this._update(key, { run: answer.id });
    const run = await followRun(this._api, answer.id, signal, activity => {
      this._update(key, { activity });
    });
    return run.outcome === 'cancelled' ? null : this._api.result(run);
  }

  private _update(key: string, change: Partial<ICall>): void {
    const running = this._running.get(key);
    if (running) {
      this._running.set(key, { ...running, ...change });
      this._changed.emit();
    }
  }

  private _end(key: string, outcome: Outcome): void {
    this._running.delete(key);
    this._outcomes.set(key, outcome);
    this._changed.emit();
  }

  private _key({ query, target }: IFound): string {
    return `${this._model.workflow?.id ?? ''}/${query.id}/${target.name}`;
  }

  private _changed = new Signal<this, void>(this);
  private _drafts = new Map<string, Draft>();
  private _isDisposed = false;
  private _outcomes = new Map<string, Outcome>();
  private _running = new Map<string, IRunning>();
  private _selection: IFunctionName | null = null;
}

const UNFIT: IProblem = {
  title: 'The arguments do not fit',
  status: 422,
  detail: 'Correct the marked fields and run again.'
};

function failure(error: unknown): Outcome {
  const problem =
    error instanceof ApiError
      ? error.problem
      : {
          title: 'The call did not finish',
          status: 0,
          detail: error instanceof Error ? error.message : String(error)
        };
  return { kind: 'problem', problem };
}
