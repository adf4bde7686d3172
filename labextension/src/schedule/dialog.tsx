import { Dialog, ReactWidget, showDialog } from '@jupyterlab/apputils';
import * as React from 'react';
import { Services, type IServices } from '../components/context';
import { ScheduleEditor } from './editor';

/**
 * Let a person change a schedule.
 *
 * @param accept - what the button says.
 * @returns the text, or null when the person thought better of it.
 */
export async function askSchedule(
  services: IServices,
  text: string,
  title: string,
  accept: string
): Promise<string | null> {
  const { trans } = services;
  const result = await showDialog({
    title,
    body: new ScheduleBody(services, text),
    buttons: [
      Dialog.cancelButton({ label: trans.__('Cancel') }),
      Dialog.okButton({ label: accept })
    ],
    focusNodeSelector: 'select'
  });
  return result.button.accept ? result.value : null;
}

class ScheduleBody extends ReactWidget implements Dialog.IBodyWidget {
  constructor(
    private _services: IServices,
    private _text: string
  ) {
    super();
    this.addClass('jp-Coflows');
    this.addClass('jp-Coflows-dialog');
  }

  getValue(): string {
    return this._text.trim();
  }

  protected render(): React.JSX.Element {
    return (
      <Services.Provider value={this._services}>
        <Editor
          text={this._text}
          onChange={text => {
            this._text = text;
          }}
        />
      </Services.Provider>
    );
  }
}

function Editor(props: { text: string; onChange: (text: string) => void }): React.JSX.Element {
  const [text, setText] = React.useState(props.text);
  return (
    <ScheduleEditor
      text={text}
      onChange={text => {
        setText(text);
        props.onChange(text);
      }}
    />
  );
}
