import { MainAreaWidget, ReactWidget } from '@jupyterlab/apputils';
import { UUID } from '@lumino/coreutils';
import * as React from 'react';
import type { IFunctionName, ISuccess } from '../sections/queries/model';
import { coflowsIcon } from '../icons';
import { Services, type IServices } from './context';
import { ResultView } from './outcome';

/** Make a tab of the main area that shows a result, which later calls leave alone. */
export function makeResultTab(
  services: IServices,
  name: IFunctionName,
  success: ISuccess
): MainAreaWidget {
  const content = ReactWidget.create(
    <Services.Provider value={services}>
      <ResultView success={success} />
    </Services.Provider>
  );
  content.addClass('jp-Coflows');
  content.addClass('jp-Coflows-tab');
  const tab = new MainAreaWidget({ content });
  tab.id = `coflows-result-${UUID.uuid4()}`;
  tab.title.label = name.function;
  tab.title.caption = services.trans.__('Result of %1.%2', name.query, name.function);
  tab.title.icon = coflowsIcon;
  tab.title.closable = true;
  return tab;
}
