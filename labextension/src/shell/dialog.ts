import { Dialog, showDialog } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import { Widget } from '@lumino/widgets';
import { ApiError } from '../api';
import type { IFieldError } from '../rest';

/** One line of a form. */
export interface IField {
  name: string;
  label: string;
  value: string;
  hint?: string;
}

type Values = Record<string, string>;

/**
 * Ask for texts and do something with them; what the server refuses is said in the form, which stays.
 *
 * @returns what was done, or null when the person thought better of it.
 */
export async function askAndDo<T>(
  title: string,
  accept: string,
  fields: IField[],
  act: (values: Values) => Promise<T>,
  trans: TranslationBundle
): Promise<T | null> {
  let refused: readonly IFieldError[] = [];
  for (;;) {
    const result = await showDialog({
      title,
      body: new FormBody(fields, refused),
      buttons: [
        Dialog.cancelButton({ label: trans.__('Cancel') }),
        Dialog.okButton({ label: accept })
      ],
      focusNodeSelector: refused.length > 0 ? '[aria-invalid=true]' : 'input'
    });
    if (!result.button.accept || !result.value) {
      return null;
    }
    const values = result.value;
    try {
      return await act(values);
    } catch (error) {
      if (!(error instanceof ApiError) || !error.problem.errors?.length) {
        throw error;
      }
      refused = error.problem.errors;
      fields = fields.map(field => ({ ...field, value: values[field.name] }));
    }
  }
}

class FormBody extends Widget implements Dialog.IBodyWidget<Values> {
  constructor(fields: IField[], refused: readonly IFieldError[]) {
    super();
    this.addClass('jp-Coflows-dialog');
    for (const field of fields) {
      this.node.append(
        makeField(
          field,
          refused.find(error => error.field === field.name)
        )
      );
    }
  }

  getValue(): Values {
    const inputs = Array.from(this.node.querySelectorAll('input'));
    return Object.fromEntries(inputs.map(({ name, value }) => [name, value.trim()]));
  }
}

function makeField({ name, label, value, hint }: IField, error?: IFieldError): HTMLElement {
  const node = document.createElement('div');
  const title = document.createElement('label');
  const input = document.createElement('input');
  title.textContent = label;
  title.htmlFor = input.id = `coflows-dialog-${name}`;
  input.name = name;
  input.value = value;
  input.className = 'jp-mod-styled';
  input.spellcheck = false;
  node.append(title, input);
  const told = error?.message ?? hint;
  if (told) {
    const note = document.createElement('span');
    note.className = error ? 'jp-Coflows-dialogError' : 'jp-Coflows-muted';
    note.textContent = told;
    note.id = `${input.id}-note`;
    input.setAttribute('aria-describedby', note.id);
    input.setAttribute('aria-invalid', String(error !== undefined));
    node.append(note);
  }
  return node;
}
