// An M set as a table: it shows what is there now, and sends what is typed into it.
function cell(text, onCommit) {
  const td = document.createElement('td');
  td.textContent = text;
  td.style.textAlign = 'left';
  if (onCommit) {
    td.contentEditable = 'plaintext-only';
    td.addEventListener('focus', () => (td.dataset.editing = '1'));
    td.addEventListener('keydown', event => {
      if (event.key === 'Enter') {
        event.preventDefault();
        td.blur();
      } else if (event.key === 'Escape') {
        td.textContent = text;
        td.blur();
      }
      event.stopPropagation();
    });
    td.addEventListener('blur', () => {
      delete td.dataset.editing;
      if (td.textContent !== text) {
        onCommit(td.textContent);
      }
    });
  }
  return td;
}

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

const show = value => (typeof value === 'string' ? value : JSON.stringify(value));

function isObject(value) {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}

function render({ model, el }) {
  const caption = document.createElement('div');
  const table = document.createElement('table');
  const form = document.createElement('input');
  form.placeholder = 'a value to add, as JSON, and Enter';
  form.setAttribute('aria-label', form.placeholder);
  form.style.minWidth = '24em';
  form.addEventListener('keydown', event => {
    event.stopPropagation();
    if (event.key === 'Enter' && form.value) {
      model.send({ op: 'add', value: parse(form.value) });
      form.value = '';
    }
  });
  el.replaceChildren(caption, table, form);

  function draw() {
    if (table.querySelector('[data-editing]')) {
      // Nothing is taken away from under somebody's hands.
      table.addEventListener('focusout', () => setTimeout(draw), { once: true });
      return;
    }
    const rows = model.get('rows');
    const names = [...new Set(rows.flatMap(([, value]) => (isObject(value) ? Object.keys(value) : ['value'])))];
    caption.textContent = model.get('caption');
    const head = document.createElement('tr');
    for (const name of [...names, '']) {
      const th = document.createElement('th');
      th.textContent = name;
      head.append(th);
    }
    const lines = rows.map(([entry, value]) => {
      const tr = document.createElement('tr');
      tr.title = entry;
      for (const name of names) {
        const plain = !isObject(value);
        const found = plain ? (name === 'value' ? value : undefined) : value[name];
        tr.append(
          cell(found === undefined ? '' : show(found), text => {
            const typed = parse(text);
            model.send({ op: 'put', entry, expected: value, value: plain ? typed : { ...value, [name]: typed } });
          })
        );
      }
      const remove = document.createElement('button');
      remove.textContent = '×';
      remove.setAttribute('aria-label', `Remove ${entry}`);
      remove.addEventListener('click', () => model.send({ op: 'remove', entry }));
      const last = document.createElement('td');
      last.append(remove);
      tr.append(last);
      return tr;
    });
    table.replaceChildren(head, ...lines);
  }

  model.on('change:rows', draw);
  model.on('change:caption', draw);
  draw();
  return () => model.off('change:rows', draw);
}

export default { render };
