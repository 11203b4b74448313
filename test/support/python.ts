/** Python for cross-checks, where it is there. */
import { execFileSync } from 'node:child_process';
import { pythonProgram } from './peers.mjs';

// The libraries that WebGPU may need are none of Python's.
const env = { ...process.env, LD_LIBRARY_PATH: '' };
const program = pythonProgram();

/** Whether Python has a module. */
export function hasModule(name: string): boolean {
  try {
    execFileSync(program, ['-c', `import ${name}`], { env, stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** What a script prints. */
export function python(script: string, ...args: string[]): string {
  return execFileSync(program, ['-c', script, ...args], { env, maxBuffer: 2 ** 28 }).toString();
}
