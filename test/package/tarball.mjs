/** The package as npm would publish it, and an empty project that installs it. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { root, run } from '../support/command.mjs';

/** Packs into `folder`; resolves to the tarball's path and the paths of the files in it. */
export async function pack(folder) {
  const args = ['pack', '--json', '--ignore-scripts', '--loglevel=error', '--pack-destination', folder];
  const { code, output } = await run('npm', args);
  if (code !== 0) throw new Error(output);
  const [{ filename, files, size }] = JSON.parse(output.slice(output.indexOf('[\n')));
  return { tarball: join(folder, filename), files: files.map(({ path }) => path), sizeBytes: size };
}

const MUST_HOLD = ['package.json', 'README.md', 'LICENSE', 'CHANGELOG.md'];

/** Everything package.json points at must be in the tarball, and nothing of the workshop. */
export async function checkContents(files) {
  const { bin, exports } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
  const targets = [bin, exports].flatMap(leaves).map((path) => path.replace(/^\.\//, ''));
  const absent = [...MUST_HOLD, ...targets].filter((path) => !files.includes(path));
  const workshop = files.filter((path) =>
    /(^|\/)(test|coverage|out|node_modules)\/|\.test\.|\.tgz$/.test(path),
  );
  const problems = [];
  if (absent.length) problems.push(`not in the tarball: ${[...new Set(absent)].join(', ')}`);
  if (workshop.length) problems.push(`must not be in the tarball: ${workshop.join(', ')}`);
  if (problems.length) throw new Error(problems.join('\n'));
}

function leaves(value) {
  return typeof value === 'string' ? [value] : Object.values(value ?? {}).flatMap(leaves);
}

/** An empty project with the tarball as its one dependency; npm brings the peers. */
export async function installInto(folder, tarball) {
  await writeFile(
    join(folder, 'package.json'),
    JSON.stringify({ name: 'new-user', private: true, type: 'module' }),
  );
  const args = [
    'install',
    '--prefer-offline',
    '--ignore-scripts',
    '--no-audit',
    '--no-fund',
    '--loglevel=error',
    tarball,
  ];
  const { code, output } = await run('npm', args, { cwd: folder });
  if (code !== 0) throw new Error(output);
}
