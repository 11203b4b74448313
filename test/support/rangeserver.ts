/** A static server of ranges on 127.0.0.1, with the faults that servers and networks have. */
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';

export interface ServedFile {
  bytes: Uint8Array;
  etag?: string;
  lastModified?: string;
}

export interface Fault {
  /** Answers with a status and no file. */
  status?: number;
  headers?: Record<string, string>;
  /** Sends the whole file to a request for a range. */
  ignoresRanges?: boolean;
  /** Sends the body with Content-Encoding: gzip. */
  gzip?: boolean;
  /** Closes the connection after so many bytes of the body; −1: before it answers. */
  cutAfter?: number;
  /** Sends so many bytes of the body and then nothing. */
  stallAfter?: number;
  delayMs?: number;
  /** Does not look at If-Match and If-Unmodified-Since. */
  ignoresConditions?: boolean;
  /** Answers a range with the one that begins so many bytes later. */
  shiftedBy?: number;
  /** Sends no more bytes of a range than these, and says so. */
  atMost?: number;
}

export interface SeenRequest {
  url: string;
  headers: IncomingHttpHeaders;
  /** What was sent of the body, and whether all of it was. */
  sentBytes: number;
  finished: boolean;
}

export async function rangeServer() {
  const files = new Map<string, ServedFile>();
  const seen: SeenRequest[] = [];
  const server = createServer(answer);
  const state = {
    url: '',
    files,
    seen,
    /** The faults of the next requests, one each, then `always`. */
    next: [] as Fault[],
    always: {} as Fault,
    underWay: 0,
    mostUnderWay: 0,
    /** How often a request came while no other was under way. */
    rounds: 0,
    /** Forgets requests and faults. */
    reset() {
      seen.length = 0;
      state.next = [];
      state.always = {};
      state.mostUnderWay = 0;
      state.rounds = 0;
    },
    async close() {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };

  async function answer(request: IncomingMessage, response: ServerResponse) {
    const fault = state.next.shift() ?? state.always;
    const entry = { url: request.url ?? '', headers: request.headers, sentBytes: 0, finished: false };
    seen.push(entry);
    if (state.underWay === 0) state.rounds++;
    state.mostUnderWay = Math.max(state.mostUnderWay, ++state.underWay);
    response.on('finish', () => {
      entry.finished = true;
    });
    response.on('close', () => state.underWay--);
    if (fault.delayMs) await new Promise((done) => setTimeout(done, fault.delayMs));
    if (fault.cutAfter === -1) return request.socket.destroy();
    if (fault.status) return response.writeHead(fault.status, fault.headers).end('not the file');
    const file = files.get(decodeURIComponent(new URL(entry.url, 'http://localhost').pathname));
    if (!file) return response.writeHead(404).end();
    const headers: Record<string, string> = { ...fault.headers };
    if (file.etag) headers.ETag = file.etag;
    if (file.lastModified) headers['Last-Modified'] = file.lastModified;
    const { 'if-match': match, 'if-unmodified-since': since, 'if-range': ifRange } = request.headers;
    const refused = (match && match !== file.etag) || (!match && since && since !== file.lastModified);
    if (refused && !fault.ignoresConditions) return response.writeHead(412, headers).end();

    const asked = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '');
    let body = file.bytes;
    let status = 200;
    if (asked && !fault.ignoresRanges && (!ifRange || ifRange === file.etag)) {
      const start = Number(asked[1]) + (fault.shiftedBy ?? 0);
      const last = Math.min(asked[2] ? Number(asked[2]) : Number.POSITIVE_INFINITY, body.length - 1);
      const end = Math.min(last, start + (fault.atMost ?? Number.POSITIVE_INFINITY) - 1);
      if (start >= body.length)
        return response.writeHead(416, { 'Content-Range': `bytes */${body.length}` }).end();
      headers['Content-Range'] = `bytes ${start}-${end}/${body.length}`;
      body = body.subarray(start, end + 1);
      status = 206;
    }
    if (fault.gzip) {
      headers['Content-Encoding'] = 'gzip';
      body = gzipSync(body);
    }
    headers['Content-Length'] ??= String(body.length);
    response.writeHead(status, headers);
    const stop = fault.cutAfter ?? fault.stallAfter;
    const whole = stop === undefined || stop >= body.length;
    let wake = () => {};
    for (const event of ['drain', 'close']) response.on(event, () => wake());
    // In pieces, to see how much was taken of it.
    for (let at = 0; at < (whole ? body.length : stop) && !response.destroyed; at += 2 ** 16) {
      const piece = body.subarray(at, Math.min(at + 2 ** 16, whole ? body.length : stop));
      entry.sentBytes += piece.length;
      if (!response.write(piece))
        await new Promise<void>((done) => {
          wake = done;
        });
    }
    if (response.destroyed) return;
    if (whole) response.end();
    else if (fault.cutAfter !== undefined) setTimeout(() => request.socket.destroy(), 5);
  }

  await new Promise<void>((done) => {
    server.listen(0, '127.0.0.1', done);
  });
  state.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return state;
}
