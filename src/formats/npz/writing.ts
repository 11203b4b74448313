/** Writes contents as entries, node by node: no more than two nodes are held, and twenty bytes of each. */
import { ArgumentError, check } from '../../errors.js';
import type { Sink } from '../../grid/files/bytestream.js';
import type { Contents, CubeContents } from '../../grid/files/contents.js';
import { eachNode } from '../../grid/files/storednodes.js';
import { npyHead } from '../npy.js';
import { ZipWriter } from '../zip/writing.js';
import { folderOf, METADATA, nameOf, PLACE_COLUMNS, PLACES, roleOf } from './layout.js';
import { cubeJson, octavesJson } from './metadata.js';

export async function writeNpz(contents: Contents, sink: Sink, deflate: boolean): Promise<void> {
  const zip = new ZipWriter(sink, deflate);
  if (contents.kind === 'cube') await writeCube(zip, '', contents, undefined);
  else {
    const json = octavesJson(contents);
    const metadata = await zip.add(METADATA, npyHead('|u1', [json.length]), json, true);
    for (const { octave, cube } of contents.levels) {
      await writeCube(zip, folderOf(octave), cube, zip.crcOf(metadata));
    }
  }
  await zip.finish();
}

async function writeCube(
  zip: ZipWriter,
  folder: string,
  cube: CubeContents,
  hierarchy: number | undefined,
): Promise<void> {
  const json = cubeJson(cube, cube.count, hierarchy);
  const jsonHead = npyHead('|u1', [json.length]);
  const metadata = await zip.add(folder + METADATA, jsonHead, json, true);
  // First, so that of a file that was cut short all of this is known; filled in when the nodes have been written.
  const rows = new Int32Array((1 + cube.count) * PLACE_COLUMNS).fill(-1);
  const rowsHead = npyHead('<i4', [1 + cube.count, PLACE_COLUMNS]);
  const places = await zip.add(folder + PLACES, rowsHead, bytesOf(rows), true);
  const dtype = cube.options.dtype === 'float16' ? '<f2' : '<f4';
  let count = 0;
  for await (const node of eachNode(cube.nodes)) {
    check(
      count < cube.count,
      () => new ArgumentError(`save: contents of ${cube.count} nodes and tangents must not give more`),
    );
    const compressed = 'compressed' in node;
    const data = compressed ? node.compressed : bytesOf(node.values);
    const head = compressed ? npyHead('|u1', [data.length]) : npyHead(dtype, node.shape);
    const entry = await zip.add(folder + nameOf(node, compressed), head, data);
    rows.set([node.x, node.y, node.z, roleOf(node), zip.crcOf(entry)], PLACE_COLUMNS * ++count);
  }
  if (count < cube.count) {
    // Contents that were recovered have fewer than they thought.
    const fewer = new Uint8Array(json.length).fill(0x20);
    fewer.set(cubeJson(cube, count, hierarchy));
    await zip.patch(metadata, jsonHead, fewer);
  }
  rows[PLACE_COLUMNS - 1] = zip.crcOf(metadata);
  await zip.patch(places, rowsHead, bytesOf(rows));
}

const bytesOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array =>
  new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength);
