import type { ISettingRegistry } from '@jupyterlab/settingregistry';
import { Signal, type ISignal } from '@lumino/signaling';

/** What a person chose about the editor; the defaults are those of `schema/editor.json`. */
export interface IEditorSettings {
  readonly squiggles: boolean;
  readonly suggest: boolean;
  readonly changed: ISignal<IEditorSettings, void>;
}

export class EditorSettings implements IEditorSettings {
  squiggles = true;
  suggest = true;

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** Follow the settings of a plugin. */
  async load(registry: ISettingRegistry, plugin: string): Promise<void> {
    const settings = await registry.load(plugin);
    const read = () => {
      this.squiggles = settings.get('squiggles').composite === true;
      this.suggest = settings.get('suggest').composite === true;
      this._changed.emit();
    };
    settings.changed.connect(read);
    read();
  }

  private _changed = new Signal<this, void>(this);
}
