export const pythonProgram: () => string;
export const findPython: () => Promise<string>;
export const findH5dump: (mayInstall: boolean) => Promise<string>;
