const Lab = require('@jupyterlab/testing/lib/jest-env').default;

// Lab takes fetch from Node and leaves AbortController to jsdom; the fetch of Node 24 accepts only Node's own.
module.exports = class extends Lab {
  constructor(...options) {
    super(...options);
    this.global.AbortController = AbortController;
    this.global.AbortSignal = AbortSignal;
    this.global.ReadableStream = ReadableStream;
  }
};
