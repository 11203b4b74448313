/** Other programs that the tests check files against: Python with NumPy, h5py and TensorStore, and h5dump. None of them is needed. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { root, run } from './command.mjs';

const home = join(root, 'node_modules', '.wavecube-python');
const own = join(home, process.platform === 'win32' ? 'Scripts/python.exe' : 'bin/python');
const WANTED = 'import numpy, h5py, tensorstore';
/** Where no index of packages answers, the tests go on without. */
const LIMIT = { timeoutMs: 180_000 };

/** The Python that tests run: WAVECUBE_PYTHON, the one that npm test has made, or python3. */
export const pythonProgram = () => process.env.WAVECUBE_PYTHON ?? (existsSync(own) ? own : 'python3');

/** Makes a Python that has everything, unless there is one. @returns what tests will find. */
export async function findPython() {
  const has = async (program) => (await run(program, ['-c', WANTED])).code === 0;
  if (await has(pythonProgram())) return pythonProgram();
  const requirements = join(root, 'test/support/requirements.txt');
  const made =
    (await run('python3', ['-m', 'venv', home], LIMIT)).code === 0 &&
    (
      await run(
        own,
        ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '-r', requirements],
        LIMIT,
      )
    ).code === 0 &&
    (await has(own));
  return made ? own : `not all of ${WANTED.slice(7)}: their tests will be skipped`;
}

/** h5dump, installed where that may be done. @returns what tests will find. */
export async function findH5dump(mayInstall) {
  const there = async () => (await run('h5dump', ['--version'])).code === 0;
  if (await there()) return 'h5dump';
  if (mayInstall)
    await run('apt-get', ['-qq', 'install', '-y', 'hdf5-tools'], {
      env: { DEBIAN_FRONTEND: 'noninteractive' },
    });
  return (await there()) ? 'h5dump' : 'no h5dump: its test will be skipped';
}
