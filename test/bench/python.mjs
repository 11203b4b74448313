/** Which Python times the peers, and making one. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { root, run } from '../support/command.mjs';

const folder = join(root, 'test', 'bench', '.venv');
const own = join(folder, process.platform === 'win32' ? 'Scripts/python.exe' : 'bin/python');

/** @param asked --python. @returns the program, or null where none was named or set up. */
export function findPython(asked) {
  return asked ?? process.env.WAVECUBE_PYTHON ?? (existsSync(own) ? own : null);
}

/** Makes test/bench/.venv with the peers in it. */
export async function setUpPython() {
  for (const [program, args] of [
    [process.platform === 'win32' ? 'python' : 'python3', ['-m', 'venv', folder]],
    [own, ['-m', 'pip', 'install', 'numpy', 'scipy', 'torch', 'jax']],
  ]) {
    const { code } = await run(program, args, { show: true });
    if (code !== 0)
      throw new Error(`setting up ${folder} failed: ${program} ${args.join(' ')}, exit code ${code}`);
  }
}

/** What stands in the report: "Python 3.12, torch 2.13, …". @throws if it does not start. */
export async function describePython(python) {
  const script =
    'import platform, importlib.metadata as m\nprint("Python", platform.python_version(), end="")\n' +
    'for p in ("numpy", "torch", "jax"):\n  try: print(",", p, m.version(p), end="")\n' +
    '  except m.PackageNotFoundError: print(", no", p, end="")';
  const { code, output } = await run(python, ['-c', script]);
  if (code !== 0) throw new Error(`${python} does not run: ${output.trim().split('\n').at(-1)}`);
  return output.trim();
}
