/**
 * Updates in place: ../WVCB.md. Payloads, a whole new index, metadata and a copy of the header are appended behind everything that the
 * file has, and made durable, before the header is overwritten: until then the file is the old one, and whoever has it open goes on
 * reading that. What an update that was cut short has left at the end is skipped, and stays as a gap.
 */
import { crc32c } from '../../checksum.js';
import { ArgumentError, ChangedError, check } from '../../errors.js';
import type { AppendableSource, Source } from '../../grid/files/bytestream.js';
import type { CubeContents } from '../../grid/files/contents.js';
import type { NodeSource } from '../../grid/files/nodesource.js';
import { IndexBuilder } from './entries.js';
import { type Head, readHead } from './head.js';
import { compressionCode, encodeHeader } from './header.js';
import { describe, encodeMetadata, headerWords } from './metadata.js';
import { openedFile, openFile } from './nodes.js';
import { aligned, CodecTable, headerOf, PayloadWriter, payloadOf } from './write.js';

/**
 * @param source what openFile gave. @param kept numbers of its entries that still say what the cube is.
 * @param contents the cube, with the nodes and tangents that its file has not.
 * @param reopen the same file for reading.
 * @returns the file as it is then; null where nothing is to be said, and nothing was written.
 * @throws ChangedError where the file is not what was opened, with nothing written; ArgumentError for one that cannot be updated.
 */
export async function appendChanges(
  source: NodeSource,
  kept: readonly number[],
  contents: CubeContents,
  file: AppendableSource,
  reopen: () => Promise<Source>,
): Promise<NodeSource | null> {
  const { head, numbers, lost, options } = openedFile(source);
  checkUpdatable(head, lost.length);
  checkSame(
    head,
    await readHead(file, {}),
    'was changed since it was opened, and nothing was written; open it again',
  );

  const described = describe(contents);
  const codecs = new CodecTable(head.metadata.codecs);
  const isLess = kept.length < head.index.count;
  const metadataBefore = encodeMetadata(head.metadata);
  const isSame = (metadata: Uint8Array) =>
    metadata.length === metadataBefore.length && metadata.every((byte, i) => byte === metadataBefore[i]);
  if (
    contents.count === 0 &&
    !isLess &&
    isSame(encodeMetadata({ ...described, codecs: codecs.codecs, shards: [] }))
  )
    return null;

  const index = new IndexBuilder();
  for (const i of kept) index.add(head.index.entry(numbers[i]));
  await file.append(new Uint8Array(aligned(file.sizeBytes) - file.sizeBytes));
  const out = new PayloadWriter((bytes) => file.append(bytes), file.sizeBytes);
  for await (const batch of contents.nodes) {
    for (const node of batch) {
      const { data, ...payload } = payloadOf(node, 0, codecs);
      index.add({ ...payload, crc: crc32c(data), offset: await out.add(data), shard: 0 });
    }
  }
  await out.flush();

  const used = index.codecs(0);
  const entries = index.finish();
  const metadata = encodeMetadata({ ...described, codecs: codecs.codecs, shards: [] });
  const indexAt = file.sizeBytes;
  const metadataAt = indexAt + entries.length;
  const copyAt = aligned(metadataAt + metadata.length);
  const codes = new Set([...used].map((codec) => (codec === 0 ? null : codecs.codecs[codec - 1].id)));
  const tail = new Uint8Array(copyAt - indexAt);
  tail.set(entries);
  tail.set(metadata, entries.length);
  await file.append(tail);
  const parts = {
    index: { offset: indexAt, bytes: entries.length },
    metadata: { offset: metadataAt, bytes: metadata.length },
    indexCrc: crc32c(entries),
    metadataCrc: crc32c(metadata),
    generation: head.header.generation + 1,
  };
  const words = headerWords(described.cubes);
  const headerOfSize = (fileBytes: number) =>
    encodeHeader(headerOf(contents, words, compressionCode(codes), { ...parts, fileBytes }));
  const { length } = headerOfSize(0);
  const header = headerOfSize(copyAt + length);
  await file.append(header);
  await file.sync();
  await file.patch(0, header);
  await file.sync();

  const opened = await openFile(await reopen(), options);
  if (opened.kind !== 'cube') throw replaced(head);
  try {
    const now = openedFile(opened.source).head.header;
    check(now.generation === parts.generation && now.indexCrc === parts.indexCrc, () => replaced(head));
    return opened.source;
  } catch (error) {
    opened.source.close();
    throw error;
  }
}

const replaced = ({ name }: Head) =>
  new ChangedError(name, 'was replaced by another file while it was added to; open it again');

function checkSame(opened: Head, now: Head, message: string): void {
  const [a, b] = [opened.header, now.header];
  check(
    a.kind === b.kind &&
      a.generation === b.generation &&
      a.indexCrc === b.indexCrc &&
      a.metadataCrc === b.metadataCrc,
    () => new ChangedError(opened.name, message),
  );
}

function checkUpdatable({ name, header, isIndexWhole }: Head, lost: number): void {
  const refuse = (what: string) =>
    new ArgumentError(`saveChanges: ${name} ${what}; save() writes the cube anew`);
  check(header.kind === 'cube', () => refuse('holds a hierarchy, which is not changed in place'));
  check(!header.isManifest, () => refuse('is a manifest of shards, which are never changed in place'));
  check(
    header.id.every((byte) => byte === 0),
    () => refuse('is a shard of a folder, which is never changed in place'),
  );
  check(isIndexWhole && lost === 0, () => refuse('is damaged'));
}
