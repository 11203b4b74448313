/** `wavecube serve`: files for a page, by the range. */
import { readdirSync, statSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { basename, dirname, resolve } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { WavecubeError } from '../errors.js';
import { fileServer, isLoopback } from './fileserver.js';
import { portNumber } from './options.js';

interface Options {
  port: number;
  host: string;
  cors?: string;
}

export function serveCommand(): Command {
  return new Command('serve')
    .summary('serve a folder or a file to browsers, by the range')
    .description(
      `Serves the files of FOLDER, or the one FILE, over HTTP: byte ranges, ETags,
so that WavetableMatrix.open in a page reads of a cube what it needs. A folder's
index.html is its page. Names that begin with a dot, and links that lead out of
the folder, are not served. Ctrl-C ends it.`,
    )
    .argument('<folder|file>', 'what is served')
    .option('-p, --port <n>', 'where it listens; 0: any that is free', portNumber, 8080)
    .option('--host <address>', "of this machine; '0.0.0.0' lets the network read too", '127.0.0.1')
    .option(
      '--cors <origin>',
      "lets pages of this origin read, as https://example.org; '*': all pages",
      origin,
    )
    .addHelpText(
      'after',
      `
Examples:
  wavecube serve cubes/
  wavecube serve piano.wvcb --port 9000 --cors https://example.org`,
    )
    .action(serve);
}

async function serve(path: string, { port, host, cors }: Options): Promise<void> {
  const target = resolve(path);
  const found = statSync(target, { throwIfNoEntry: false });
  if (!found) throw new WavecubeError(`${path}: there is no such file or folder`);
  const served = found.isDirectory()
    ? { folder: target }
    : { folder: dirname(target), only: basename(target) };
  const server = fileServer({ ...served, host, cors });
  await new Promise<void>((listening, fail) => {
    server.once('error', (error) => fail(unlistened(error, port, host)));
    server.listen(port, host, listening);
  });
  const address = server.address() as AddressInfo;
  const url = `http://${urlHost(host)}:${address.port}/`;
  const name = served.only ?? cubeIn(target);
  process.stdout.write(`${url} serves ${path}; Ctrl-C ends it\n`);
  if (!isLoopback(host))
    process.stdout.write('everyone who can reach this machine over the network can read it\n');
  process.stdout.write(
    `  const cube = await WavetableMatrix.open('${url}${name.split('/').map(encodeURIComponent).join('/')}');\n`,
  );
}

/** What code may open of a folder. */
function cubeIn(folder: string): string {
  const names = readdirSync(folder).filter((name) => !name.startsWith('.'));
  return (
    names.find((name) => name.endsWith('.wvcb')) ?? names.find((name) => name.endsWith('.npz')) ?? 'cube.wvcb'
  );
}

/** As a URL has it; of 'all addresses' the one that this machine itself can use. */
function urlHost(host: string): string {
  if (host === '0.0.0.0' || host === '::') return 'localhost';
  return host.includes(':') ? `[${host}]` : host;
}

function origin(text: string): string {
  if (text === '*' || (URL.canParse(text) && new URL(text).origin === text)) return text;
  throw new InvalidArgumentError("It must be an origin, as https://example.org (no path), or '*'.");
}

function unlistened(error: NodeJS.ErrnoException, port: number, host: string): Error {
  const reasons: Record<string, string> = {
    EADDRINUSE: `port ${port} of ${host} is in use; choose another with --port, or --port 0 for any that is free`,
    EACCES: `port ${port} may not be used by this user; choose one above 1023 with --port`,
    EADDRNOTAVAIL: `${host} is no address of this machine`,
    ENOTFOUND: `${host} is no address of this machine`,
    EAI_AGAIN: `${host} is no address of this machine`,
  };
  const reason = reasons[error.code ?? ''];
  return reason === undefined ? error : new WavecubeError(`serve: ${reason}`, { cause: error });
}
