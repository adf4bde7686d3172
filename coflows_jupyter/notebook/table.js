// An M set as a table: it shows what is there now, and sends what is typed into it. Cells are texts, see table.py.
// Nothing is taken away from under somebody's hands: a cell with the focus stays as it is until it is left.

function element(parent, name, properties = {}) {
  const made = Object.assign(document.createElement(name), properties);
  parent.append(made);
  return made;
}

function makeCell(row, column, send) {
  const cell = element(row.line, 'td', { contentEditable: 'plaintext-only' });
  cell.setAttribute('aria-label', `${column} of ${row.entry}`);
  cell.shown = '';
  cell.addEventListener('focus', () => (cell.before = cell.shown));
  cell.addEventListener('keydown', event => {
    if (event.key === 'Enter') {
      event.preventDefault();
      cell.blur();
    } else if (event.key === 'Escape') {
      cell.textContent = cell.before;
      cell.blur();
    }
    event.stopPropagation();
  });
  cell.addEventListener('blur', () => {
    const { before, textContent: text } = cell;
    cell.textContent = cell.shown;
    if (text !== before) {
      send({ op: 'edit', entry: row.entry, column, before, text });
    }
  });
  return cell;
}

function makeRow(entry, columns, send) {
  const row = { entry, line: document.createElement('tr') };
  row.line.title = entry;
  row.cells = columns.map(column => makeCell(row, column, send));
  const button = element(element(row.line, 'td'), 'button');
  button.setAttribute('aria-label', `Remove ${entry}`);
  button.addEventListener('click', () => send({ op: 'remove', entry }));
  return row;
}

function fill(row, texts) {
  row.cells.forEach((cell, index) => {
    cell.shown = texts[index] ?? '';
    if (cell !== document.activeElement && cell.textContent !== cell.shown) {
      cell.textContent = cell.shown;
    }
  });
}

function render({ model, el }) {
  const send = wish => model.send(wish);
  el.classList.add('coflows-table');
  const caption = element(el, 'div');
  const table = element(el, 'table');
  const head = element(element(table, 'thead'), 'tr');
  const body = element(table, 'tbody');
  const form = element(el, 'input', {
    placeholder: 'A value to add, as JSON, then Enter'
  });
  form.setAttribute('aria-label', 'A value to add');
  form.addEventListener('keydown', event => {
    event.stopPropagation();
    if (event.key === 'Enter' && form.value) {
      send({ op: 'add', text: form.value });
      form.value = '';
    }
  });
  const problem = element(el, 'div');
  problem.setAttribute('role', 'alert');

  let shownColumns = '';
  let rows = new Map();

  const isBusy = node =>
    node.contains(document.activeElement) && document.activeElement.isContentEditable;

  function drawColumns(columns, wanted) {
    shownColumns = wanted;
    head.replaceChildren();
    columns.forEach(column => element(head, 'th', { textContent: column, scope: 'col' }));
    element(head, 'td');
    body.replaceChildren();
    rows = new Map();
  }

  function removeRows(wanted) {
    for (const [entry, row] of rows) {
      if (!wanted.has(entry) && !isBusy(row.line)) {
        row.line.remove();
        rows.delete(entry);
      }
    }
  }

  function draw() {
    const state = model.get('state');
    caption.textContent = state.caption;
    problem.textContent = state.problem;
    const columns = JSON.stringify(state.columns);
    if (columns !== shownColumns) {
      if (isBusy(body)) {
        return; // until the cell is left
      }
      drawColumns(state.columns, columns);
    }
    removeRows(new Set(state.rows.map(([entry]) => entry)));
    let last = null;
    for (const [entry, texts] of state.rows) {
      const row = rows.get(entry) ?? makeRow(entry, state.columns, send);
      rows.set(entry, row);
      fill(row, texts);
      const next = last ? last.nextSibling : body.firstChild;
      if (row.line !== next && !isBusy(row.line)) {
        body.insertBefore(row.line, next);
      }
      last = row.line;
    }
  }

  // After the one that leaves a cell has sent what was typed.
  body.addEventListener('focusout', () => setTimeout(draw));
  model.on('change:state', draw);
  draw();
  return () => model.off('change:state', draw);
}

export default { render };
