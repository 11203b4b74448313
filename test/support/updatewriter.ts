/**
 * A process that sets all nodes of a .wvcb file to the number of an update, adds that to the file in place, as saveChanges does, and goes on
 * with the next; it says so on file descriptor 1: `b<number>` before an update begins, `h<number>` before the header is overwritten, `d<number>` when it is done. Arguments: the path,
 * the number that is there. Without tensors: it is to start in no time.
 */
import { writeSync } from 'node:fs';
import { appendChanges } from '../../src/formats/wvcb/append.js';
import { openFile } from '../../src/formats/wvcb/nodes.js';
import type { CubeContents } from '../../src/grid/files/contents.js';
import type { StoredNode } from '../../src/grid/files/storednodes.js';
import { fileStorage } from '../../src/storage/file.js';

const [path, there] = process.argv.slice(2);
const reopen = () => fileStorage.open(path);
const opened = await openFile(await reopen(), {});
if (opened.kind !== 'cube') throw new Error('is a hierarchy');
let { source } = opened;
for (let update = Number(there) + 1; ; update++) {
  const batch = source.entries.map(({ x, y, z, shape }): StoredNode => {
    return { x, y, z, shape, values: new Float32Array(shape[0] * shape[1] * shape[2]).fill(update) };
  });
  async function* nodes() {
    yield batch;
  }
  const contents: CubeContents = { ...opened, count: batch.length, nodes: nodes(), dispose() {} };
  writeSync(1, `b${update}\n`);
  const file = await fileStorage.append(path);
  const { patch } = file;
  file.patch = (offset, bytes) => {
    writeSync(1, `h${update}\n`);
    return patch.call(file, offset, bytes);
  };
  const before = source;
  source = (await appendChanges(before, [], contents, file, reopen))!;
  before.close();
  await file.close();
  writeSync(1, `d${update}\n`);
}
