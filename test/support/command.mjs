/** Programs started by the setup and the test runner. Node built-ins only: this runs before anything is installed. */
import { spawn } from 'node:child_process';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** Runs a program and resolves to its exit code and all it printed; `show` prints it as it comes, too. */
export function run(program, args, { cwd = root, env = {}, show = false, timeoutMs } = {}) {
  return new Promise((resolve) => {
    let output = '';
    const child = spawn(program, args, {
      cwd,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: timeoutMs,
      shell: process.platform === 'win32', // npm and the tools in node_modules/.bin are .cmd files there
    });
    for (const stream of ['stdout', 'stderr']) {
      child[stream].setEncoding('utf8').on('data', (text) => {
        output += text;
        if (show) process[stream].write(text);
      });
    }
    child.on('error', (error) => resolve({ code: 127, output: `${output}${program}: ${error.message}` }));
    child.on('close', (code, signal) => {
      if (signal)
        output += `\n${program} was ended by ${signal}${timeoutMs ? ` (limit ${timeoutMs / 1000} s)` : ''}`;
      resolve({ code: code ?? 1, output });
    });
  });
}

/** Runs a tool of a package in node_modules by its script: `npx` would ask the network where one is missing. */
export function runTool(script, args, options) {
  return run(process.execPath, [`${root}/node_modules/${script}`, ...args], options);
}

export function seconds(sinceMs) {
  return `${((Date.now() - sinceMs) / 1000).toFixed(1)} s`;
}
