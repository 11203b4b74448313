/** A .wvcb file written anew, without the gaps that updates in place leave. */
import { ArgumentError, check } from '../../errors.js';
import type { Sink, Source } from '../../grid/files/bytestream.js';
import { disposeContents } from '../../grid/files/contents.js';
import { readHead } from './head.js';
import { readFile } from './read.js';
import { writeFile } from './write.js';

/** @throws FormatError for a damaged file: what is left of it is not to take its place. ArgumentError for shards and manifests. */
export async function compactFile(source: Source, sink: Sink): Promise<void> {
  const { header } = await readHead(source, {});
  check(
    header.id.every((byte) => byte === 0),
    () => new ArgumentError(`compact: ${source.name} is of a cube over many files, which have no gaps`),
  );
  const contents = await readFile(source, {});
  try {
    await writeFile(contents, sink);
  } finally {
    disposeContents(contents);
  }
}
