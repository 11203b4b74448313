/** Formats of many files: the folder that a path names, to be read, or written in the place of what is there. */
import { ArgumentError, check, WavecubeError } from '../../errors.js';
import type { Folder, FolderSink } from './bytestream.js';
import { endsAsFolder, type FileFormat, type SourceOptions, storageFor } from './persistence.js';

/** The folder at a path, where there is one with something in it or the path's ending says so; else null. */
export async function folderAt(path: string, options: SourceOptions): Promise<Folder | null> {
  const storage = storageFor(path);
  const named = endsAsFolder(path);
  let folder = (await storage.folder?.(path, options)) ?? null;
  // A URL says by its last letter that it is a folder, and people do not.
  if (folder === null && named && !path.endsWith('/'))
    folder = (await storage.folder?.(`${path}/`, options)) ?? null;
  if (folder === null || named) return folder;
  // Of a place that cannot list, a URL, a path is a file unless its ending says otherwise: it is not asked for twice.
  if (!folder.list) return path.split(/[?#]/)[0].endsWith('/') ? folder : null;
  return (await folder.list()).length > 0 ? folder : null;
}

/** Whether `format` writes a folder when it is given `options`. */
export function writesFolder(format: FileFormat, options: Record<string, unknown>): boolean {
  return format.writeFolder !== undefined && (format.wantsFolder?.(options) ?? true);
}

/**
 * A folder to be written in the place of what is at a path: nothing, an empty folder, or one of this format.
 * @throws ArgumentError for a folder of other things, which replacing would remove.
 */
export async function createFolderAt(path: string, format: FileFormat): Promise<FolderSink> {
  const storage = storageFor(path);
  check(
    storage.folder !== undefined,
    () =>
      new ArgumentError(`${path}: '${format.name}' is a folder of files, and only files can be kept there`),
  );
  const there = await storage.folder(path);
  check(there !== null, () => new WavecubeError(`${path}: it is a file, and '${format.name}' is a folder`));
  const names = (await there.list?.()) ?? [];
  check(
    names.length === 0 || (await format.sniffFolder?.(there)) === true,
    () =>
      new ArgumentError(
        `${path}: is a folder of other things ('${names[0]}', …), which '${format.name}' would replace; name a new one`,
      ),
  );
  if (format.foldersInPlace) return inPlace(there, false);
  return storage.createFolder?.(path) ?? inPlace(there, true);
}

/**
 * For storages that replace no folders at once: the format writes last what makes the rest count.
 * @param cleans whether an abort removes what was written; a format that keeps what was there takes back itself what is its own.
 */
function inPlace(folder: Folder, cleans: boolean): FolderSink {
  check(folder.create !== undefined, () => new ArgumentError(`${folder.name}: cannot be written`));
  const made: string[] = [];
  return {
    name: folder.name,
    open: (name) => folder.open(name),
    create(name) {
      made.push(name);
      return folder.create!(name);
    },
    ...(folder.list && { list: () => folder.list!() }),
    ...(folder.remove && { remove: (name: string) => folder.remove!(name) }),
    async commit() {},
    async abort() {
      // What fails to go is what it would be after a crash.
      for (const name of cleans ? made : []) await folder.remove?.(name).catch(() => {});
    },
  };
}
