/** The package as Node sees it: everything of the main entry, the instrument, and files. */
export * from './index.js';
export { type HeardFiles, hearFiles, soundFiles } from './instrument/files.js';
export * from './instrument/index.js';
export { fileStorage } from './storage/file.js';
