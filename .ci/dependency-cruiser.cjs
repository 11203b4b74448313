/**
 * Imports point one way: errors, checksum ← interpolation ← ops ← codecs ← grid ← formats, storage ← instrument ← cli, models.
 * Backends fill in the ops' contracts; only the entry points know which backends there are.
 */
const { builtinModules } = require('node:module');

const LAYERS = [
  ['errors', 'checksum'],
  ['interpolation'],
  ['ops'],
  ['codecs'],
  ['grid'],
  ['formats', 'storage'],
  ['instrument'],
  ['cli', 'models'],
];
const places = {
  models: '^models/',
  errors: '^src/errors\\.ts$',
  checksum: '^src/checksum\\.(generated\\.)?ts$',
};
const folder = (name) => places[name] ?? `^src/${name}/`;
const pattern = (names) => names.map(folder).join('|');

const direction = LAYERS.slice(0, -1).map((layer, i) => ({
  name: `${layer.join('-')}-looks-down`,
  comment: `${layer.join(', ')} must import only what stands before it: ${LAYERS.slice(0, i).flat().join(', ') || 'nothing'}`,
  severity: 'error',
  from: { path: pattern(layer) },
  to: { path: pattern(LAYERS.slice(i + 1).flat()) },
}));

module.exports = {
  forbidden: [
    ...direction,
    {
      name: 'backend-imports',
      comment: "a backend imports ops, interpolation, errors and its own folder's files, nothing else of src",
      severity: 'error',
      from: { path: '^src/backends/([^/]+)/' },
      to: { path: '^(src|models)/', pathNot: '^src/(errors\\.ts$|interpolation/|ops/|backends/$1/)' },
    },
    {
      name: 'backend-stays-behind-its-entry',
      comment: 'only src/backends/ready.ts, src/index.ts and src/node.ts import a backend',
      severity: 'error',
      from: { pathNot: '^src/(backends/|index\\.ts$|node\\.ts$)' },
      to: { path: '^src/backends/' },
    },
    {
      name: 'entry-points-are-ends',
      comment: 'nothing inside src imports an entry point: that would close a cycle through every module',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/(node\\.ts$|cli/)' },
      to: { path: '^src/(index|node)\\.ts$' },
    },
    {
      name: 'browser-code-has-no-node-built-ins',
      comment: 'what the browser entries reach must not import a Node built-in; give it to src/node.ts',
      severity: 'error',
      from: { path: '^src/(index|backends/(wasm|webgpu)/index)\\.ts$' },
      to: { path: `^(node:.+|${builtinModules.join('|')})$`, reachable: true },
    },
    {
      name: 'no-cycles',
      comment: 'modules must not import each other in a circle; types, which are gone at run time, may',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'resolvable',
      comment: 'an import must lead somewhere',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true, // an import of types is an import
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'types', 'default'] },
  },
};
