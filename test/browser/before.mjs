/** First module of the test page: sets up mocha and what test/support/backends.ts reads, before any test loads. */
const query = new URLSearchParams(location.search);

globalThis.WAVECUBE_TEST_BACKENDS = (query.get('backends') ?? 'cpu,wasm,webgpu').split(',');
globalThis.WAVECUBE_WASM_PATHS = '/wasm/';

globalThis.mocha.setup({
  ui: 'bdd',
  timeout: 120_000, // SwiftShader compiles slowly, and slower in a page
  reporter: function Silent() {},
  grep: query.get('grep') ?? undefined,
});
