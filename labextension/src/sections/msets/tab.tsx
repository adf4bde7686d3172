import { MainAreaWidget, ReactWidget } from '@jupyterlab/apputils';
import type { Message } from '@lumino/messaging';
import { UUID } from '@lumino/coreutils';
import * as React from 'react';
import { Services, type IServices } from '../../components/context';
import { coflowsIcon } from '../../icons';
import type { SetModel } from './set';
import { SetView } from './view';

/** Make a tab of the main area that follows an M set as long as it is shown. */
export function makeSetTab(services: IServices, set: SetModel): MainAreaWidget {
  const tab = new MainAreaWidget({ content: new SetWidget(services, set) });
  tab.id = `coflows-m-set-${UUID.uuid4()}`;
  tab.title.label = set.id.name;
  tab.title.caption = services.trans.__('M set %1', set.id.name);
  tab.title.icon = coflowsIcon;
  tab.title.closable = true;
  return tab;
}

class SetWidget extends ReactWidget {
  constructor(
    private _services: IServices,
    private _set: SetModel
  ) {
    super();
    this.addClass('jp-Coflows');
    this.addClass('jp-Coflows-tab');
  }

  override dispose(): void {
    this._set.dispose();
    super.dispose();
  }

  protected override render(): React.JSX.Element {
    return (
      <Services.Provider value={this._services}>
        <SetView set={this._set} inTab />
      </Services.Provider>
    );
  }

  protected override onAfterShow(message: Message): void {
    super.onAfterShow(message);
    this._set.active = true;
  }

  protected override onAfterHide(message: Message): void {
    super.onAfterHide(message);
    this._set.active = false;
  }
}
