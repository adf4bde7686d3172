const lab = require('@jupyterlab/testing/lib/jest-config')(__dirname);

// Packages that ship ES modules only, so jest has to translate them.
const modules = [
  '@codemirror',
  '@jupyter/',
  '@jupyterlab/',
  '@lumino/',
  '@microsoft',
  '@rjsf',
  'color',
  'exenv-es6',
  'lib0',
  'lodash-es',
  'marked',
  'nanoid',
  'vscode-ws-jsonrpc',
  'y-protocols',
  'y-websocket',
  'yjs'
];

module.exports = {
  ...lab,
  reporters: ['default'],
  testEnvironment: './jest-environment.js',
  testRegex: 'src/__tests__/.*\\.spec\\.tsx?$',
  transform: {
    ...lab.transform,
    '^.+\\.tsx?$': ['ts-jest', { tsconfig: './tsconfig.test.json', diagnostics: false }]
  },
  transformIgnorePatterns: [`/node_modules/(?!(${modules.join('|')}))`]
};
