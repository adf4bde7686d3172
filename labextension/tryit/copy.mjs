// Puts the try-it page, with the Swagger UI that it needs, where the server finds it.

import { copyFileSync, mkdirSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

const here = import.meta.dirname;
const swagger = dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'));
const target = join(here, '..', '..', 'coflows_jupyter', 'server', 'static');

rmSync(target, { recursive: true, force: true });
mkdirSync(target, { recursive: true });
for (const [folder, ...names] of [
  [swagger, 'swagger-ui-bundle.js', 'swagger-ui-bundle.js.LICENSE.txt', 'swagger-ui.css'],
  [swagger, 'LICENSE', 'NOTICE'],
  [here, 'init.js', 'index.html']
]) {
  for (const name of names) {
    copyFileSync(join(folder, name), join(target, name));
  }
}
