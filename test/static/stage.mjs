/** What can be told without running the library: types, lint, format, and who imports whom. */
import { runTool } from '../support/command.mjs';
import { Results } from '../support/results.mjs';

const CHECKS = [
  ['types (tsc)', 'typescript/bin/tsc', ['-p', 'tsconfig.json', '--noEmit']],
  [
    'lint and format (biome)',
    '@biomejs/biome/bin/biome',
    ['check', '.', '--colors=off', '--max-diagnostics=50'],
  ],
  [
    'import direction and cycles (dependency-cruiser)',
    'dependency-cruiser/bin/dependency-cruise.mjs',
    ['--config', '.ci/dependency-cruiser.cjs', 'src', 'models'],
  ],
];

export async function staticStage() {
  const results = new Results('static checks');
  for (const [title, script, args] of CHECKS) {
    await results.check(title, async () => {
      const { code, output } = await runTool(script, args);
      if (code !== 0) throw new Error(output);
    });
  }
  return results;
}
