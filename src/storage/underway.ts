/**
 * What is there only while something is under way: temporary files and folders, locks. A process that ends meanwhile takes them along, by one
 * listener for 'exit' that is there only while there are any. Signals stay the program's own; one that kills at once leaves the files,
 * which owner.ts lets others recognise.
 */
import { nodeFs } from './filesystem.js';

const underWay = new Set<string>();

function removeUnderWay(): void {
  for (const path of underWay) {
    try {
      nodeFs().rmSync(path, { force: true, recursive: true });
    } catch {
      // The process is ending; the next file may still be removed.
    }
  }
}

export function begin(path: string): void {
  if (underWay.size === 0) process.on('exit', removeUnderWay);
  underWay.add(path);
}

export function end(path: string): void {
  underWay.delete(path);
  if (underWay.size === 0) process.off('exit', removeUnderWay);
}
