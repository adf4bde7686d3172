import type { IDisposable } from '@lumino/disposable';
import { Signal, type ISignal } from '@lumino/signaling';
import { ApiError, errorText, type Api, type ISetName } from '../../api';
import type { ICondition, IMChange, IMEntry, IMValue } from '../../rest';
import { applyChange } from './value';

const PAGE = 100;
const RETRY_MS = 500;
const LONGEST_RETRY_MS = 5000;
const PAUSE_MS = 150;

/** The entry whose details are shown. */
export interface IOpenEntry {
  readonly entry: string;
  /** Its value when it was opened; null as long as that is read. */
  readonly value: IMValue | null;
  /** What happened to it, the latest first. */
  readonly history: readonly IMChange[];
}

/**
 * One M set, followed while somebody looks.
 *
 * What is shown was read once and is kept up by the stream of changes, which goes on after the last change that
 * was seen, however often the server or the connection went away. Where conditions narrow, the server decides what
 * meets them, so a change only says that it is to be asked again.
 */
export class SetModel implements IDisposable {
  constructor(
    private _api: Api,
    readonly id: ISetName
  ) {}

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** Entries, the oldest first. */
  get entries(): readonly IMEntry[] {
    return this._entries;
  }

  /** Whether there are more than those. */
  get more(): boolean {
    return this._next > 0;
  }

  /** How many entries the set has; null where not all of them are shown as they are now. */
  get count(): number | null {
    return this.more || this._conditions.length > 0 || !this._live ? null : this._entries.length;
  }

  /** Whether what is shown follows what happens. */
  get live(): boolean {
    return this._live;
  }

  get conditions(): readonly ICondition[] {
    return this._conditions;
  }
  set conditions(conditions: readonly ICondition[]) {
    this._conditions = conditions;
    this._next = 0;
    this._entries = [];
    this._restart();
  }

  /** Why the server did not tell; empty when it did. */
  get problem(): string {
    return this._problem;
  }

  /** The entry whose details are shown; null when none is. */
  get opened(): IOpenEntry | null {
    return this._opened;
  }

  /** Whether the form for a new entry is open. */
  get adding(): boolean {
    return this._adding;
  }
  set adding(adding: boolean) {
    this._adding = adding;
    this._changed.emit();
  }

  get active(): boolean {
    return this._following !== null;
  }
  set active(active: boolean) {
    if (active !== this.active) {
      this._following?.abort();
      this._following = active ? new AbortController() : null;
      this._live = false;
      if (this._following) {
        void this._follow(this._following.signal);
      }
    }
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  dispose(): void {
    this._isDisposed = true;
    this.active = false;
    Signal.clearData(this);
  }

  /** Read the entries that follow those shown; never rejects. */
  async loadMore(): Promise<void> {
    const { _conditions: conditions, _next: after } = this;
    try {
      const page = await this._api.msetEntries(this.id, conditions, PAGE, after);
      if (conditions === this._conditions && after === this._next) {
        const known = new Set(this._entries.map(({ entry }) => entry));
        this._entries = [...this._entries, ...page.entries.filter(one => !known.has(one.entry))];
        this._next = page.next ?? 0;
      }
    } catch (error) {
      this._problem = errorText(error);
    }
    this._changed.emit();
  }

  /**
   * Show the details of an entry; null shows none.
   *
   * @throws ApiError when it is gone.
   */
  async open(entry: string | null): Promise<void> {
    this._opened = entry === null ? null : { entry, value: null, history: [] };
    this._changed.emit();
    if (entry !== null) {
      const value = await this._api.msetValue(this.id, entry);
      const read = (await this._api.msetHistory(this.id, entry)).reverse();
      if (this._opened?.entry === entry) {
        this._opened = { entry, value, history: joined(this._opened.history, read) };
        this._changed.emit();
      }
    }
  }

  /**
   * Add a value.
   *
   * @param text - its JSON.
   * @returns the ID of the equal entry that is there already, or null when it was added.
   * @throws ApiError when the server refuses.
   */
  async add(text: string): Promise<string | null> {
    const { entry, reason } = await this._api.addToMSet(this.id, text);
    return reason ? entry : null;
  }

  /**
   * Put a value in the place of the one that was opened.
   *
   * @throws ApiError of 412 when somebody was faster.
   */
  async exchange(opened: IOpenEntry, text: string): Promise<void> {
    await this._api.putInMSet(this.id, opened.entry, text, opened.value?.tag ?? '');
  }

  /**
   * Remove an entry.
   *
   * @returns puts it back.
   * @throws ApiError when the server refuses.
   */
  async remove(entry: string): Promise<() => Promise<void>> {
    const { text } = await this._api.msetValue(this.id, entry);
    await this._api.removeFromMSet(this.id, entry);
    return () => this._api.putInMSet(this.id, entry, text, '');
  }

  /** The address of what is shown, for callers elsewhere. */
  get address(): string {
    return this._api.msetAddress(this.id, this._conditions);
  }

  /** Follow the set until somebody looks no more. */
  private async _follow(signal: AbortSignal): Promise<void> {
    const isOver = () => signal.aborted;
    let wait = RETRY_MS;
    while (!isOver()) {
      try {
        await this._stream(signal);
        wait = RETRY_MS;
      } catch (error) {
        if (!isOver() && error instanceof ApiError) {
          this._problem = errorText(error);
        }
      }
      if (!isOver()) {
        this._live = false;
        this._changed.emit();
        await pause(wait, signal);
        wait = Math.min(wait * 1.7, LONGEST_RETRY_MS);
      }
    }
  }

  /** Read the set unless it is known, and what happens to it then, until the connection ends. */
  private async _stream(signal: AbortSignal): Promise<void> {
    if (this._seq === null) {
      await this._load(signal);
    } else if (!this._live) {
      // A socket that is refused does not say why; a request does.
      await this._api.msetEntries(this.id, [], 0, 0);
    }
    for await (const change of this._api.msetChanges(this.id, this._seq ?? 0, signal)) {
      this._take(change);
    }
  }

  private async _load(signal: AbortSignal): Promise<void> {
    const conditions = this._conditions;
    const limit = Math.max(PAGE, this._entries.length);
    const page = await this._api.msetEntries(this.id, conditions, limit, 0);
    if (!signal.aborted && conditions === this._conditions) {
      this._entries = page.entries;
      this._next = page.next ?? 0;
      this._seq = page.seq;
      this._problem = '';
      this._changed.emit();
    }
  }

  private _take(change: IMChange): void {
    this._live = true;
    this._problem = '';
    this._seq = Math.max(this._seq ?? 0, change.seq);
    if (change.op === 'reset') {
      this._readSoon();
    } else if (change.op !== 'ready') {
      if (this._conditions.length > 0) {
        this._readSoon();
      } else {
        this._entries = applyChange(this._entries, change, this.more);
      }
      if (this._opened && [this._opened.entry, ''].includes(change.entry)) {
        this._opened = { ...this._opened, history: joined([change], this._opened.history) };
      }
    }
    this._changed.emit();
  }

  /** Ask again for what is shown: at once, and then not more often than a person can follow. */
  private _readSoon(): void {
    const signal = this._following?.signal;
    if (signal && this._reading === null) {
      this._reading = setTimeout(() => {
        this._reading = null;
        this._load(signal).catch((error: unknown) => {
          this._problem = errorText(error);
          this._changed.emit();
        });
      }, PAUSE_MS);
    }
  }

  private _restart(): void {
    const { active } = this;
    this.active = false;
    this._seq = null;
    this.active = active;
    this._changed.emit();
  }

  private _adding = false;
  private _changed = new Signal<this, void>(this);
  private _conditions: readonly ICondition[] = [];
  private _entries: readonly IMEntry[] = [];
  private _following: AbortController | null = null;
  private _isDisposed = false;
  private _live = false;
  private _next = 0;
  private _opened: IOpenEntry | null = null;
  private _problem = '';
  private _reading: ReturnType<typeof setTimeout> | null = null;
  private _seq: number | null = null;
}

/** What the stream told and what was read, which may have some of it already. */
function joined(told: readonly IMChange[], read: readonly IMChange[]): IMChange[] {
  const known = new Set(read.map(({ seq }) => seq));
  return [...told.filter(({ seq }) => !known.has(seq)), ...read];
}

function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, milliseconds);
    signal.addEventListener('abort', done);
  });
}
