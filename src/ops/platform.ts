/** Whether this is Node, not a page or a worker. */
export const inNode = (): boolean => typeof process !== 'undefined' && Boolean(process.versions?.node);
