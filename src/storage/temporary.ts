/**
 * Temporary files and folders beside their targets: `<target>.<pid>.<host>.<random>.tmp`. One whose process was killed stays until anything is next
 * written into its folder: the name says whose it is, and only files of processes of this machine that are no more are removed.
 */
import { nodeFiles, nodePath } from './filesystem.js';
import { isGone, type Owner, thisProcess } from './owner.js';

const NAME = /\.(\d{1,10})\.([0-9a-f]{8})\.[0-9a-f]{12}\.tmp$/;

const hostMark = ({ host }: Owner): string =>
  process.getBuiltinModule('node:crypto').createHash('sha256').update(host).digest('hex').slice(0, 8);

export function temporaryBeside(target: string): string {
  const random = process.getBuiltinModule('node:crypto').randomBytes(6).toString('hex');
  return `${target}.${process.pid}.${hostMark(thisProcess())}.${random}.tmp`;
}

export const isTemporary = (name: string): boolean => NAME.test(name);

/** Folders are looked through once a second at most: writing thousands of files must not list thousands each time. */
const SWEEP_MS = 1000;
let swept = { folder: '', at: Number.NEGATIVE_INFINITY };

/** Removes temporary files that killed processes left in a folder. Never rejects: the next writer tries again. */
export async function sweep(folder: string): Promise<void> {
  const now = performance.now();
  if (swept.folder === folder && now - swept.at < SWEEP_MS) return;
  swept = { folder, at: now };
  try {
    const here = thisProcess();
    const mark = hostMark(here);
    for (const name of await nodeFiles().readdir(folder)) {
      const [, pid, host] = NAME.exec(name) ?? [];
      if (host === mark && isGone({ pid: Number(pid), host: here.host }))
        await nodeFiles().rm(nodePath().join(folder, name), { force: true, recursive: true });
    }
  } catch {
    // A folder that cannot be listed or changed keeps what is left in it.
  }
}
