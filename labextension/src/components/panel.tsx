import {
  CommandToolbarButton,
  PanelWithToolbar,
  ReactWidget,
  SidePanel
} from '@jupyterlab/ui-components';
import type { ITranslator } from '@jupyterlab/translation';
import type { Message } from '@lumino/messaging';
import type { AccordionPanel } from '@lumino/widgets';
import * as React from 'react';
import { coflowsIcon } from '../icons';
import { SECTIONS, type ISection } from '../sections/registry';
import { PANEL_ID } from '../tokens';
import { Services, type IServices } from './context';

/** The sidebar: sections that tell their models whether anybody looks. */
export class CoflowsPanel extends SidePanel {
  constructor(
    private _services: IServices,
    translator: ITranslator
  ) {
    super({ translator });
    const { trans } = _services;
    this.id = PANEL_ID;
    this.title.icon = coflowsIcon;
    this.title.caption = trans.__('CoFlows');
    this.addClass('jp-Coflows');
    this.node.setAttribute('role', 'region');
    this.node.setAttribute('aria-label', trans.__('CoFlows'));
    this.node.tabIndex = -1;

    for (const section of SECTIONS) {
      const widget = new SectionWidget(section, _services);
      widget.setHidden(section.closed ?? false);
      this.addWidget(widget);
    }
    this._share();
    this._accordion.expansionToggled.connect((_, index) => {
      // What was closed from the start has no size that it could get back.
      if (SECTIONS[index].closed && !this._opened.has(index)) {
        this._opened.add(index);
        this._share();
      }
    });
  }

  /** Open a section. */
  reveal(id: string): void {
    this._accordion.expand(SECTIONS.findIndex(section => section.id === id));
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

  /** Give the open sections their shares of the height. */
  private _share(): void {
    const { widgets } = this._accordion;
    this._accordion.setRelativeSizes(
      SECTIONS.map(({ size }, index) => (widgets[index].isHidden ? 0 : size))
    );
  }

  private get _accordion(): AccordionPanel {
    return this.content as AccordionPanel;
  }

  private _opened = new Set<number>();
}

/** One section; its model works only while it is open and the panel is shown. */
class SectionWidget extends PanelWithToolbar {
  constructor(section: ISection, services: IServices) {
    super();
    const { commands, trans } = services;
    this._model = section.model?.(services) ?? null;
    this.addClass('jp-Coflows-pane');
    this.title.label = section.title(trans);
    for (const [id, label] of section.toolbar?.(trans) ?? []) {
      this.toolbar.addItem(id, new CommandToolbarButton({ commands, id, label }));
    }
    this.addWidget(
      ReactWidget.create(<Services.Provider value={services}>{section.body}</Services.Provider>)
    );
  }

  protected override onAfterShow(message: Message): void {
    super.onAfterShow(message);
    this._setActive(this.isVisible);
  }

  protected override onAfterHide(message: Message): void {
    super.onAfterHide(message);
    this._setActive(false);
  }

  private _setActive(active: boolean): void {
    if (this._model) {
      this._model.active = active;
    }
  }

  private _model: { active: boolean } | null;
}
