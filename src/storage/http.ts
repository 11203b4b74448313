/** URLs, to read: on any static server and object store. */
import { ArgumentError } from '../errors.js';
import { type Folder, memorySource } from '../grid/files/bytestream.js';
import type { Storage } from '../grid/files/persistence.js';
import { download } from './download.js';
import { openUrl } from './httpsource.js';
import { partsOfName } from './names.js';
import { type Requests, requestsTo } from './requests.js';
import { type Address, addressIn, addressOf } from './url.js';

const unending = () => new AbortController().signal;

/**
 * What lies beside a file, or in a folder. Queries stay with the file that they were given for: a signature in one holds for no other
 * file. Name and password, and SourceOptions.headers, go with all.
 */
function folderAt(requests: Requests, base: Address): Folder {
  return {
    name: base.shown,
    open: async (name) =>
      openUrl(
        requests,
        addressIn(base, partsOfName(base.shown, name)),
        async () => folderAt(requests, base),
        unending(),
      ),
  };
}

export const httpStorage: Storage = {
  // In a page, a path without a scheme is a URL beside the page.
  serves: (path) =>
    /^https?:\/\//i.test(path) || (typeof document !== 'undefined' && !/^[a-z]+:\/\//i.test(path)),

  async read(path) {
    return download(requestsTo({}), addressOf(path), unending());
  },

  async open(path, { whole = false, signal = unending(), ...options } = {}) {
    const requests = requestsTo(options);
    const address = addressOf(path);
    const folder = async () => folderAt(requests, addressIn(address));
    if (!whole) return openUrl(requests, address, folder, signal);
    return { ...memorySource(await download(requests, address, signal), address.shown), folder };
  },

  /** Any URL will do: a server does not say what it is, and whoever asks goes by its ending. */
  async folder(path, { signal: _, ...options } = {}) {
    const address = addressOf(path);
    const url = new URL(address.href);
    if (!url.pathname.endsWith('/')) url.pathname += '/';
    return folderAt(requestsTo(options), addressIn({ ...address, href: url.href }));
  },

  async write(path) {
    throw new ArgumentError(
      `${addressOf(path).shown}: a URL cannot be written; in a browser save to downloads:// or indexeddb://`,
    );
  },
};
