/** The wavecube command as its users run it: a process of its own. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { type Command, CommanderError } from 'commander';
import { explain } from '../../src/cli/explain.js';

const root = fileURLToPath(new URL('../../', import.meta.url));
const COMMAND = ['--import', 'tsx/esm', 'src/cli/main.ts'];

const traced = new Set<string>();

/** Of each command one run is traced for coverage: a trace takes longer than most runs. */
function environment([command = '']: readonly string[]): NodeJS.ProcessEnv {
  const isNew = !traced.has(command);
  traced.add(command);
  return isNew ? process.env : { ...process.env, NODE_V8_COVERAGE: '' };
}

export interface Outcome {
  code: number;
  stdout: string;
  stderr: string;
}

/** Runs it to its end. */
export function wavecube(...args: string[]): Promise<Outcome> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [...COMMAND, ...args],
      { cwd: root, env: environment(args) },
      (error, stdout, stderr) => {
        resolve({ code: typeof error?.code === 'number' ? error.code : error ? -1 : 0, stdout, stderr });
      },
    );
  });
}

/**
 * What a command makes of wrong arguments, in this process, as main.ts ends by it; only for what it refuses.
 * @returns its exit code, and what it says.
 */
export async function refused(
  command: Command,
  args: readonly string[],
): Promise<{ code: number; says: string }> {
  let says = '';
  command.exitOverride().configureOutput({
    writeErr(text) {
      says += text;
    },
  });
  try {
    await command.parseAsync([...args], { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError) return { code: 2, says };
    return { code: 1, says: explain(error) };
  }
  return { code: 0, says };
}

export interface Running extends Outcome {
  child: ChildProcess;
  /** Ends with its exit code. */
  ended: Promise<number | null>;
}

/** Starts it; what it says grows as it says it. */
export function startWavecube(...args: string[]): Running {
  const child = spawn(process.execPath, [...COMMAND, ...args], { cwd: root, env: environment(args) });
  const running: Running = {
    child,
    code: -1,
    stdout: '',
    stderr: '',
    ended: new Promise((resolve) => child.on('close', resolve)),
  };
  for (const stream of ['stdout', 'stderr'] as const)
    child[stream].on('data', (chunk: Buffer) => {
      running[stream] += chunk.toString();
    });
  return running;
}
