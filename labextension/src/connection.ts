import { EventManager, type ServerConnection } from '@jupyterlab/services';
import type { IDisposable } from '@lumino/disposable';
import { Poll } from '@lumino/polling';
import { Signal, type ISignal } from '@lumino/signaling';
import type { Api } from './api';
import type { IEngineEvent } from './rest';

export const EVENT_SCHEMA = 'https://schemas.coflows.dev/workflow/v1';

export type ConnectionState = 'connecting' | 'online' | 'lost';

/**
 * The server's events, and whether the server is there at all.
 *
 * Lab's own event manager says neither when its socket opens nor when it closes, and nothing is
 * replayed: an event sent in between would be missed for good. So this one watches the socket. While
 * it is closed the server's health is probed, ever more slowly, and `opened` asks for a fresh look.
 */
export class Connection implements IDisposable {
  constructor(private _api: Api) {
    this._probe = new Poll({
      auto: false,
      factory: () => this._reconnect(),
      frequency: { interval: 500, backoff: 1.7, max: 10_000 },
      name: 'coflows-jupyter:probe',
      standby: 'when-hidden'
    });
    void this._probe.start();
  }

  get state(): ConnectionState {
    return this._state;
  }

  get stateChanged(): ISignal<this, ConnectionState> {
    return this._stateChanged;
  }

  /** Emitted when events start to flow: whatever was known before may be stale. */
  get opened(): ISignal<this, void> {
    return this._opened;
  }

  get event(): ISignal<this, IEngineEvent> {
    return this._event;
  }

  get isDisposed(): boolean {
    return this._probe.isDisposed;
  }

  dispose(): void {
    this._probe.dispose();
    this._events?.dispose();
    Signal.clearData(this);
  }

  /** Tell that a request did not reach the server. */
  reportFailure(): void {
    this._setState('lost');
    this._events?.dispose();
    void this._probe.start();
  }

  private async _reconnect(): Promise<void> {
    try {
      await this._api.health();
    } catch (error) {
      this._setState('lost');
      throw error;
    }
    this._setState('online');
    await this._listen();
    void this._probe.stop();
    this._opened.emit();
  }

  /** Subscribe; resolves when the socket is open and probes again when it closes. */
  private _listen(): Promise<void> {
    this._events?.dispose();
    return new Promise((resolve, reject) => {
      const events = new EventManager({
        serverSettings: watchSocket(this._api.settings, resolve, () => {
          const mine = events === this._events && !events.isDisposed;
          events.dispose();
          reject(new Error('The event socket closed'));
          if (mine) {
            void this._probe.start();
          }
        }),
        standby: 'never'
      });
      this._events = events;
      events.stream.connect((_, message) => {
        if (message.schema_id === EVENT_SCHEMA) {
          this._event.emit(message as unknown as IEngineEvent);
        }
      });
    });
  }

  private _setState(state: ConnectionState): void {
    if (state !== this._state) {
      this._state = state;
      this._stateChanged.emit(state);
    }
  }

  private _events: EventManager | null = null;
  private _event = new Signal<this, IEngineEvent>(this);
  private _opened = new Signal<this, void>(this);
  private _probe: Poll<void>;
  private _state: ConnectionState = 'connecting';
  private _stateChanged = new Signal<this, ConnectionState>(this);
}

function watchSocket(
  settings: ServerConnection.ISettings,
  opened: () => void,
  closed: () => void
): ServerConnection.ISettings {
  class WatchedSocket extends settings.WebSocket {
    constructor(url: string | URL, protocols?: string | string[]) {
      super(url, protocols);
      this.addEventListener('open', opened);
      this.addEventListener('close', closed);
    }
  }
  return { ...settings, WebSocket: WatchedSocket };
}
