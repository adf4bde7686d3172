import type { IKey, IKeyWish, IMe, IMember, INewKey, Level } from '../../rest';
import { SectionModel } from '../model';

const WRITE = 2;

/** Whoever is at this page, their keys, and for those with Write who else is in the Workflow's group. */
export class PeopleModel extends SectionModel {
  /** Who is at this page; null as long as that is unknown. */
  get me(): IMe | null {
    return this._me;
  }

  /** What they may on the Workflow that is shown. */
  get level(): Level {
    return this._me?.permissions[this.workflow] ?? -1;
  }

  /** Their keys that are not revoked, the latest first. */
  get keys(): readonly IKey[] {
    return this._keys;
  }

  /** Who is in the Workflow's group; null for those who may not know. */
  get members(): readonly IMember[] | null {
    return this._members;
  }

  /** Whether the form of one's account is open. */
  get editing(): boolean {
    return this._editing;
  }
  set editing(editing: boolean) {
    this._editing = editing;
    this.emit();
  }

  /**
   * Say what one is called.
   *
   * @throws ApiError when the server refuses.
   */
  async setName(first: string, last: string): Promise<void> {
    await this.api.setName(first, last);
    await this.refresh();
  }

  /**
   * Give oneself a new password, which ends one's sessions in other browsers.
   *
   * @throws ApiError when the server refuses, for one because the old one is wrong.
   */
  setPassword(old: string, password: string): Promise<void> {
    return this.api.setPassword(old, password);
  }

  /** Whether the form for a new key is open. */
  get creating(): boolean {
    return this._creating;
  }
  set creating(creating: boolean) {
    this._creating = creating;
    this.emit();
  }

  /** The key that was just made, until it is put away. */
  get made(): INewKey | null {
    return this._made;
  }

  /** Show the text of the new key no more; nothing brings it back. */
  putAway(): void {
    this._made = null;
    this.emit();
  }

  /**
   * Make a key for whoever is at this page.
   *
   * @throws ApiError when the server refuses.
   */
  async createKey(wish: IKeyWish): Promise<void> {
    this._made = await this.api.createKey(wish);
    this._creating = false;
    await this.refresh();
  }

  /**
   * Revoke a key of theirs, everywhere and for good.
   *
   * @throws ApiError when the server refuses.
   */
  async revokeKey(id: string): Promise<void> {
    await this.api.revokeKey(id);
    if (this._made?.info.id === id) {
      this._made = null;
    }
    await this.refresh();
  }

  /**
   * Give a person a level in the Workflow's group, or another one.
   *
   * @param expires - a duration (`90d`) or a date; empty for never.
   * @throws ApiError when the server refuses, for one because there is no such account.
   */
  async setMember(user: string, level: Level, expires: string): Promise<void> {
    const { workflow } = this;
    // Shown before the server has answered, so that a change right after this one does not undo it.
    this._members =
      this._members?.map(member =>
        member.user === user ? { ...member, level, expires } : member
      ) ?? null;
    this.emit();
    const change = this._changing.then(() => this.api.setMember(workflow, user, level, expires));
    this._changing = change.catch(() => undefined);
    await change.finally(() => this.refresh());
  }

  /**
   * Take a person out of the Workflow's group.
   *
   * @throws ApiError when the server refuses.
   */
  async removeMember(user: string): Promise<void> {
    await this.api.removeMember(this.workflow, user);
    await this.refresh();
  }

  protected override async fetch(workflow: string): Promise<void> {
    const me = await this.api.me();
    const keys = me.source === 'anonymous' ? [] : await this.api.keys();
    const writer = (me.permissions[workflow] ?? -1) >= WRITE;
    const members = writer ? await this.api.members(workflow) : null;
    if (workflow === this.workflow) {
      this._me = me;
      this._keys = keys.filter(({ revoked }) => revoked === '').reverse();
      this._members = members;
    }
  }

  protected override forget(): void {
    this._members = null;
    this._made = null;
    this._creating = false;
    this._editing = false;
  }

  private _changing = Promise.resolve();
  private _creating = false;
  private _editing = false;
  private _keys: IKey[] = [];
  private _made: INewKey | null = null;
  private _me: IMe | null = null;
  private _members: IMember[] | null = null;
}
