// Shows an OpenAPI document of ours as forms. A key is held by this page only: nothing stores it.

const root = document.getElementById('try-it');
let key = null;

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
  if (key && request.loadSpec) {
    request.headers['x-api-key'] = key;
  }
  return request;
}

// What the document shows depends on who asks, so a key that is entered or taken back asks again.
const withKey = {
  statePlugins: {
    auth: {
      wrapActions: {
        authorize: (authorize, system) => schemes => {
          const answer = authorize(schemes);
          const given = Object.values(schemes)[0]?.value;
          key = typeof given === 'string' ? given : key;
          system.specActions.download();
          return answer;
        },
        logout: (logout, system) => schemes => {
          const answer = logout(schemes);
          key = null;
          system.specActions.download();
          return answer;
        }
      }
    }
  }
};

window.SwaggerUIBundle({
  domNode: root,
  url: root.dataset.openapi,
  plugins: [withKey],
  requestInterceptor: toThisServer,
  deepLinking: true,
  defaultModelsExpandDepth: -1,
  displayRequestDuration: true,
  tryItOutEnabled: true,
  validatorUrl: null
});
