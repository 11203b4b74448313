/** Places of a browser: downloads://name, indexeddb://name; and of either side: http(s) URLs, to read. */
import { get, set } from 'idb-keyval';
import { ArgumentError, check, WavecubeError } from '../errors.js';
import type { Storage } from '../grid/persistence.js';

const rest = (path: string) => path.replace(/^[a-z]+:\/\//i, '');

export const indexedDbStorage: Storage = {
  serves: (path) => path.startsWith('indexeddb://') && typeof indexedDB !== 'undefined',
  async read(path) {
    const bytes = await get<Uint8Array>(`wavecube/${rest(path)}`);
    check(bytes !== undefined, () => new WavecubeError(`${path}: there is nothing of this name`));
    return bytes;
  },
  write: (path, bytes) => set(`wavecube/${rest(path)}`, bytes),
};

export const downloadStorage: Storage = {
  serves: (path) => path.startsWith('downloads://') && typeof document !== 'undefined',
  async read(path) {
    throw new ArgumentError(
      `${path}: downloads can only be written; give the user a file input and use fromBytes`,
    );
  },
  async write(path, bytes) {
    const url = URL.createObjectURL(new Blob([bytes as Uint8Array<ArrayBuffer>]));
    const link = document.createElement('a');
    link.href = url;
    link.download = rest(path);
    link.click();
    // The download has taken its reference by the time the task queue comes round.
    setTimeout(() => URL.revokeObjectURL(url), 0);
  },
};

export const httpStorage: Storage = {
  // In a page, a path without a scheme is a URL beside the page.
  serves: (path) =>
    /^https?:\/\//i.test(path) || (typeof document !== 'undefined' && !/^[a-z]+:\/\//i.test(path)),
  async read(path) {
    const response = await fetch(path).catch((cause) => {
      throw new WavecubeError(`${path}: the server cannot be reached`, { cause });
    });
    check(
      response.ok,
      () => new WavecubeError(`${path}: the server answered ${response.status} ${response.statusText}`),
    );
    return new Uint8Array(await response.arrayBuffer());
  },
  async write(path) {
    throw new ArgumentError(
      `${path}: a URL cannot be written; in a browser save to downloads:// or indexeddb://`,
    );
  },
};
