// Shows an OpenAPI document of ours as forms. A key is held by this page only: nothing stores it.

const root = document.getElementById('try-it');
const form = document.getElementById('key');
const field = form.querySelector('input');
const status = form.querySelector('output');
let key = '';

function cookie(name) {
  return document.cookie
    .split('; ')
    .find(pair => pair.startsWith(`${name}=`))
    ?.slice(name.length + 1);
}

// Behind a proxy the document may name the server as the proxy sees it; this page knows better.
function toThisServer(request) {
  const url = new URL(request.url, window.location.href);
  request.url = window.location.origin + url.pathname + url.search;
  const xsrf = cookie('_xsrf');
  if (xsrf && request.method === 'POST') {
    request.headers['X-XSRFToken'] = xsrf;
  }
  if (key) {
    request.headers['x-api-key'] = key;
  }
  return request;
}

function fromThisServer(response) {
  if (response.url === new URL(root.dataset.openapi, window.location.href).href) {
    if (response.status === 401 || response.status === 403) {
      status.value = key
        ? 'This key opens nothing here.'
        : 'Enter a key, or sign in to JupyterLab and open this page again.';
    } else {
      status.value = '';
      document.title = response.body?.info?.title ?? document.title;
    }
  }
  return response;
}

// The one field for a key is ours: it shows the document as well, and is there before the document is.
const nothing = () => () => null;
const ownKey = { wrapComponents: { authorizeBtn: nothing, authorizeOperationBtn: nothing } };

const page = window.SwaggerUIBundle({
  domNode: root,
  url: root.dataset.openapi,
  plugins: [ownKey],
  requestInterceptor: toThisServer,
  responseInterceptor: fromThisServer,
  deepLinking: true,
  defaultModelsExpandDepth: -1,
  displayRequestDuration: true,
  tryItOutEnabled: true,
  // The command line that it shows would have the key in it.
  showMutatedRequest: false,
  validatorUrl: null
});

// What the document shows depends on who asks.
form.addEventListener('submit', event => {
  event.preventDefault();
  key = field.value.trim();
  field.value = '';
  field.placeholder = key ? 'used by this page until it is closed' : '';
  page.specActions.download();
});
