/** Files over HTTP, by the range too, as cubes that are opened lazily read them. What `wavecube serve` answers with. */
import type { Stats } from 'node:fs';
import { realpath } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { isIP } from 'node:net';
import { join, sep } from 'node:path';
import send from 'send';

export interface Served {
  /** An absolute path. */
  folder: string;
  /** The one name in it that is served; default: all. */
  only?: string;
  /** The origin whose pages may read, or '*'. Default: only pages that come from here. */
  cors?: string;
  /** What it listens on. */
  host: string;
}

/** Lets a page of another origin see what its reader goes by. */
const EXPOSED = 'Accept-Ranges, Content-Length, Content-Range, ETag, Last-Modified';

/** Answers GET and HEAD for what lies in a folder: no names that begin with a dot, and no link that leads out of it. */
export function fileServer(served: Served): Server {
  return createServer((request, response) => {
    answer(served, request, response).catch(() => refuse(response, 500, 'the file cannot be read'));
  });
}

async function answer(served: Served, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { folder, only, cors, host } = served;
  response.setHeader('X-Content-Type-Options', 'nosniff');
  response.setHeader('Cross-Origin-Resource-Policy', cors ? 'cross-origin' : 'same-origin');
  if (cors) {
    response.setHeader('Access-Control-Allow-Origin', cors);
    response.setHeader('Access-Control-Expose-Headers', EXPOSED);
  }
  if (isLoopback(host) && !isLoopback(nameOf(request.headers.host)))
    // A page whose name was made to lead here would else read what only this machine may.
    return refuse(response, 421, 'this server answers to localhost only');
  if (request.method === 'OPTIONS') return preflight(response, cors !== undefined);
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.setHeader('Allow', 'GET, HEAD, OPTIONS');
    return refuse(response, 405, 'files are only read here');
  }
  const [asked] = (request.url ?? '/').split(/[?#]/);
  const path = asked.endsWith('/') ? `${asked}index.html` : asked;
  const name = decoded(path);
  if (name === undefined) return refuse(response, 400, 'the address is not well encoded');
  if (only !== undefined && name !== `/${only}`) return refuse(response, 404, 'there is no such file');
  if (!(await liesIn(folder, name))) return refuse(response, 404, 'there is no such file');
  send(request, path, { root: folder, dotfiles: 'ignore', index: false, cacheControl: false })
    .on('file', (_: string, { size }: Stats) => {
      request.headers.range = boundedSuffix(request.headers.range, size);
    })
    .on('headers', (_: ServerResponse, __: string, stat: Stats) => {
      response.setHeader('ETag', entityTag(stat));
      response.setHeader('Cache-Control', 'no-cache');
    })
    .on('error', ({ status, message }: { status: number; message: string }) =>
      refuse(response, status, message),
    )
    .pipe(response);
}

/** Strong: of one state of the file. A file that is renamed into the place of another within the clock's step has another number. */
function entityTag({ size, mtimeMs, ino }: Stats): string {
  return `"${[size, Math.round(mtimeMs * 1000), ino].map((n) => n.toString(36)).join('-')}"`;
}

/** 'The last n bytes' of a file that has fewer are all of it (RFC 9110, 14.1.2); the parser of ranges would refuse them. */
function boundedSuffix(range: string | undefined, size: number): string | undefined {
  const [, suffix] = /^\s*bytes=-(\d+)\s*$/.exec(range ?? '') ?? [];
  return suffix !== undefined && Number(suffix) > size && size > 0 ? `bytes=0-${size - 1}` : range;
}

/** What a browser asks before a request from another origin's page. */
function preflight(response: ServerResponse, allowed: boolean): void {
  response.setHeader('Allow', 'GET, HEAD, OPTIONS');
  if (allowed) {
    response.setHeader('Access-Control-Allow-Methods', 'GET, HEAD');
    response.setHeader('Access-Control-Allow-Headers', 'Range, If-Range, If-Match, If-None-Match');
    response.setHeader('Access-Control-Allow-Private-Network', 'true');
    response.setHeader('Access-Control-Max-Age', '600');
  }
  response.writeHead(204).end();
}

function refuse(response: ServerResponse, status: number, reason: string): void {
  if (response.headersSent) {
    // Part of a file must not look like all of it.
    response.destroy();
    return;
  }
  for (const name of ['ETag', 'Last-Modified', 'Cache-Control', 'Content-Length'])
    response.removeHeader(name);
  response.statusCode = status;
  response.setHeader('Content-Type', 'text/plain; charset=utf-8');
  response.end(`${reason}\n`);
}

function decoded(path: string): string | undefined {
  try {
    return decodeURIComponent(path);
  } catch {
    return undefined;
  }
}

/** Whether a name leads to something in the folder, links followed. */
async function liesIn(folder: string, name: string): Promise<boolean> {
  if (name.includes('\0')) return false;
  try {
    const [target, root] = await Promise.all([realpath(join(folder, name)), realpath(folder)]);
    return target === root || target.startsWith(root.endsWith(sep) ? root : root + sep);
  } catch {
    return false;
  }
}

/** The host of a Host header, without its port. */
const nameOf = (host = ''): string => host.replace(/:\d*$/, '').replace(/^\[(.*)\]$/, '$1');

/** Whether a name or address is this machine's own, for none but itself. */
export function isLoopback(host: string): boolean {
  const name = host.toLowerCase();
  if (isIP(name) === 4) return name.startsWith('127.');
  return name === '::1' || name === 'localhost' || name.endsWith('.localhost');
}
