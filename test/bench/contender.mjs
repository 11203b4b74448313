/** Runs a contender (contenders/entry.mjs says what that is) in a process of its own and collects its rows. */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

/**
 * Resolves to the rows it printed. A pass that took longer than `limitS`, or in which the process ended, has a row
 * that says so; passes after it were not run.
 */
export function contend(program, args, { peer, passes, limitS = 300, env = {} }) {
  return new Promise((resolve) => {
    const rows = [];
    const child = spawn(program, args, {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const stop = () => child.kill('SIGTERM');
    process.once('exit', stop);
    let late = false;
    const expire = () => {
      late = true;
      child.kill('SIGKILL');
    };
    let clock = setTimeout(expire, limitS * 1000);
    let complaint = '';
    child.stderr.setEncoding('utf8').on('data', (text) => {
      complaint = (complaint + text).slice(-4000);
    });
    createInterface({ input: child.stdout }).on('line', (line) => {
      if (!line.startsWith('{')) return; // a library's greeting
      rows.push(JSON.parse(line));
      clearTimeout(clock);
      clock = setTimeout(expire, limitS * 1000);
    });
    let failure = null;
    child.on('error', (error) => {
      failure = error.message;
    });
    child.on('close', (code, signal) => {
      clearTimeout(clock);
      process.off('exit', stop);
      if (late) failure = `over ${limitS} s`;
      else if (code !== 0) failure ??= `stopped (${signal ?? lastError(complaint) ?? `exit code ${code}`})`;
      const missing = passes.filter(
        (pass) => !rows.some((row) => row.pass === pass && row.peer.startsWith(peer)),
      );
      resolve([...rows, ...(failure ? missing.map((pass) => ({ peer, pass, skipped: failure })) : [])]);
    });
  });
}

const lastError = (text) =>
  text
    .split('\n')
    .findLast((line) => /^\w*(Error|Exception)\b/.test(line))
    ?.slice(0, 160);
