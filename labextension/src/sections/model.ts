import type { IDisposable } from '@lumino/disposable';
import { Signal, type ISignal } from '@lumino/signaling';
import { errorText, type Api } from '../api';
import type { Connection } from '../connection';
import type { CoflowsModel } from './workflow/model';

/** What the model of every section does: ask the server while somebody looks, else remember to. */
export abstract class SectionModel implements IDisposable {
  constructor(
    protected readonly api: Api,
    private _model: CoflowsModel,
    connection: Connection
  ) {
    connection.opened.connect(this.touch, this);
    _model.changed.connect(this._onModel, this);
  }

  /** Emitted when anything of the model changed. */
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** Whether the server was asked once about the Workflow that is shown. */
  get known(): boolean {
    return this._known;
  }

  /** Why the server did not tell; empty when it did. */
  get problem(): string {
    return this._problem;
  }

  /** Whether somebody looks. Nothing is fetched otherwise. */
  get active(): boolean {
    return this._active;
  }
  set active(active: boolean) {
    this._active = active;
    if (active && this._stale) {
      void this.refresh();
    }
    this.onActive?.(active);
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  dispose(): void {
    this._isDisposed = true;
    Signal.clearData(this);
  }

  /** Ask the server again; never rejects. */
  refresh(): Promise<void> {
    this._stale = true;
    this._refreshing ??= this._drain();
    return this._refreshing;
  }

  /** ID of the Workflow that is shown; empty when there is none. */
  protected get workflow(): string {
    return this._workflow;
  }

  /** Ask the server about the Workflow that is shown, which may be another one when it answers. */
  protected abstract fetch(workflow: string): Promise<void>;

  /** Drop what was known about a Workflow that is not shown any more. */
  protected abstract forget(): void;

  /** Do more when somebody begins to look, and when nobody does any more. */
  protected onActive?(active: boolean): void;

  /** Ask again as soon as somebody looks. */
  protected touch(): void {
    if (this._active) {
      void this.refresh();
    } else {
      this._stale = true;
    }
  }

  /** What was shown is no longer what is asked for. */
  protected reset(): void {
    this._known = false;
    this.emit();
    this.touch();
  }

  /** Do something that asks the server; what goes wrong becomes the problem that is shown. */
  protected async attempt(work: () => Promise<void>): Promise<void> {
    try {
      await work();
      this._problem = '';
    } catch (error) {
      this.fail(error);
    }
  }

  protected fail(error: unknown): void {
    this._problem = errorText(error);
  }

  protected emit(): void {
    this._changed.emit();
  }

  private async _drain(): Promise<void> {
    while (this._stale) {
      this._stale = false;
      const workflow = this._workflow;
      if (workflow) {
        await this.attempt(async () => {
          await this.fetch(workflow);
          // Else the answer is about what was asked for before.
          this._known ||= !this._stale;
        });
        this.emit();
      }
    }
    this._refreshing = null;
  }

  private _onModel(): void {
    const id = this._model.workflow?.id ?? '';
    if (id !== this._workflow) {
      this._workflow = id;
      this.forget();
      this.reset();
    }
  }

  private _active = false;
  private _changed = new Signal<this, void>(this);
  private _isDisposed = false;
  private _known = false;
  private _problem = '';
  private _refreshing: Promise<void> | null = null;
  private _stale = true;
  private _workflow = '';
}
