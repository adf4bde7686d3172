import { Poll } from '@lumino/polling';
import type { Api } from '../../api';
import type { Connection } from '../../connection';
import type { IMSet } from '../../rest';
import { SectionModel } from '../model';
import type { CoflowsModel } from '../workflow/model';
import { SetModel } from './set';

const COUNTS_MS = 5000;

/** The M sets of the Workflow that is shown, and the one of them that is open. */
export class MSetsModel extends SectionModel {
  constructor(api: Api, model: CoflowsModel, connection: Connection) {
    super(api, model, connection);
    // Nobody tells of changes to sets that are not open.
    this._poll = new Poll({
      auto: false,
      factory: () => this.refresh(),
      frequency: { interval: COUNTS_MS, backoff: false },
      name: 'coflows-jupyter:m-sets',
      standby: 'when-hidden'
    });
  }

  get sets(): readonly IMSet[] {
    return this._sets;
  }

  /** The set that is open; null when none is. */
  get shown(): SetModel | null {
    return this._shown;
  }

  override dispose(): void {
    this._poll.dispose();
    this._shown?.dispose();
    super.dispose();
  }

  /** Open a set, which begins to exist with its first entry; null opens none. */
  show(name: string | null): void {
    this._shown?.dispose();
    this._shown = name === null ? null : this.follow(name);
    if (this._shown) {
      this._shown.active = this.active;
    }
    this.emit();
  }

  /** Make a model of a set that lives on its own, for a tab; whoever asked disposes it. */
  follow(name: string): SetModel {
    return new SetModel(this.api, { workflow: this.workflow, name });
  }

  protected override async fetch(workflow: string): Promise<void> {
    const sets = await this.api.msets(workflow);
    if (workflow === this.workflow) {
      this._sets = sets;
    }
  }

  protected override forget(): void {
    this._sets = [];
    this.show(null);
  }

  protected override onActive(active: boolean): void {
    void (active ? this._poll.start() : this._poll.stop());
    if (this._shown) {
      this._shown.active = active;
    }
  }

  private _poll: Poll<void>;
  private _sets: IMSet[] = [];
  private _shown: SetModel | null = null;
}
