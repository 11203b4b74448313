/** Places of a browser: downloads://name, indexeddb://name. */
import { get, set } from 'idb-keyval';
import { ArgumentError, check, WavecubeError } from '../errors.js';
import type { Storage } from '../grid/files/persistence.js';

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
