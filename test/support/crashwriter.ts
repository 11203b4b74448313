/**
 * A process that saves one version of a file after the other, and says so on file descriptor 1: `b<version>` before a write begins,
 * `c<version>` before its commit, `d<version>` when it is done. Arguments: the path, the version that is there.
 */
import { writeSync } from 'node:fs';
import { fileStorage } from '../../src/storage/file.js';
import { bytesOfVersion, piecesOfVersion } from './versions.js';

const [path, there] = process.argv.slice(2);
for (let version = Number(there) + 1; ; version++) {
  writeSync(1, `b${version}\n`);
  const sink = await fileStorage.create(path);
  const bytes = bytesOfVersion(version);
  // The head last, as formats do that learn while they write where things are.
  const head = bytes.slice(0, 64);
  bytes.fill(255, 0, 64);
  for (const [from, to] of piecesOfVersion(version, bytes.length)) await sink.write(bytes.subarray(from, to));
  await sink.patch(0, head);
  writeSync(1, `c${version}\n`);
  await sink.commit();
  writeSync(1, `d${version}\n`);
}
