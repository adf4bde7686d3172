import {
  CommandToolbarButton,
  PanelWithToolbar,
  ReactWidget,
  SidePanel
} from '@jupyterlab/ui-components';
import type { ITranslator } from '@jupyterlab/translation';
import type { Message } from '@lumino/messaging';
import { AccordionLayout } from '@lumino/widgets';
import * as React from 'react';
import { coflowsIcon } from '../icons';
import { CommandIDs, PANEL_ID } from '../tokens';
import { Services, type IServices } from './context';
import { QueriesSection } from './queries';
import { WorkflowSection } from './workflow';

/** The sidebar: sections that tell the model whether anybody looks. */
export class CoflowsPanel extends SidePanel {
  constructor(
    private _services: IServices,
    translator: ITranslator
  ) {
    super({ translator });
    const { commands, trans } = _services;
    this.id = PANEL_ID;
    this.title.icon = coflowsIcon;
    this.title.caption = trans.__('CoFlows');
    this.addClass('jp-Coflows');
    this.node.setAttribute('role', 'region');
    this.node.setAttribute('aria-label', trans.__('CoFlows'));
    this.node.tabIndex = -1;

    const workflow = makeSection(trans.__('Workflow'), <WorkflowSection />, _services);
    for (const id of [CommandIDs.build, CommandIDs.refresh]) {
      const label = id === CommandIDs.build ? trans.__('Build') : '';
      workflow.toolbar.addItem(id, new CommandToolbarButton({ commands, id, label }));
    }
    this.addWidget(workflow);
    this.addWidget(makeSection(trans.__('Queries'), <QueriesSection />, _services));
    if (this.content.layout instanceof AccordionLayout) {
      this.content.layout.setRelativeSizes([2, 5]);
    }
  }

  /** Take the focus, so that the next Tab is in the panel. */
  protected override onActivateRequest(message: Message): void {
    super.onActivateRequest(message);
    if (!this.node.contains(document.activeElement)) {
      this.node.focus();
    }
  }

  protected override onAfterShow(message: Message): void {
    super.onAfterShow(message);
    this._services.model.active = true;
  }

  protected override onAfterHide(message: Message): void {
    super.onAfterHide(message);
    this._services.model.active = false;
  }
}

function makeSection(
  title: string,
  body: React.JSX.Element,
  services: IServices
): PanelWithToolbar {
  const section = new PanelWithToolbar();
  section.addClass('jp-Coflows-pane');
  section.title.label = title;
  section.addWidget(
    ReactWidget.create(<Services.Provider value={services}>{body}</Services.Provider>)
  );
  return section;
}
