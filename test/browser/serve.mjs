/** A static server on 127.0.0.1 for the pages under test. */
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join, normalize, sep } from 'node:path';

const TYPES = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.css': 'text/css',
  '.json': 'application/json',
  '.map': 'application/json',
  '.wasm': 'application/wasm',
  '.png': 'image/png',
};

/** With these a page is cross-origin isolated: it may share memory between threads. */
const ISOLATION = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
  'Cross-Origin-Resource-Policy': 'same-origin',
};

/**
 * @param routes prefix → folder, or path → text of a file; the longest that fits wins.
 * @returns { url, requests (the paths asked for), close }
 */
export async function serve(routes, { isolated = false } = {}) {
  const prefixes = Object.keys(routes).sort((a, b) => b.length - a.length);
  const requests = [];
  const server = createServer(async (request, response) => {
    const path = decodeURIComponent(new URL(request.url, 'http://localhost').pathname);
    requests.push(path);
    const headers = {
      'Content-Type':
        TYPES[extname(path)] ?? (path.endsWith('/') ? TYPES['.html'] : 'application/octet-stream'),
      'Cache-Control': 'no-store',
      ...(isolated ? ISOLATION : {}),
    };
    try {
      const body = await find(path);
      response.writeHead(200, headers).end(body);
    } catch {
      // Browsers ask for an icon on their own; an empty answer keeps the console clean.
      response.writeHead(path === '/favicon.ico' ? 204 : 404).end();
    }
  });

  async function find(path) {
    const prefix = prefixes.find((p) => (p.endsWith('/') ? path.startsWith(p) : path === p));
    if (prefix === undefined) throw new Error(`no route for ${path}`);
    if (!prefix.endsWith('/')) return routes[prefix];
    const inside = normalize(path.slice(prefix.length) || 'index.html');
    if (inside.startsWith(`..${sep}`)) throw new Error(`${path} leads out of its folder`);
    return readFile(join(routes[prefix], inside));
  }

  await new Promise((ready) => server.listen(0, '127.0.0.1', ready));
  const close = () => {
    server.closeAllConnections();
    return new Promise((closed) => server.close(closed));
  };
  return { url: `http://127.0.0.1:${server.address().port}`, requests, close };
}
