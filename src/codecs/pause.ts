let last = 0;

/** Lets the event loop run now and then, so that a page stays alive and an abort is heard. @throws the signal's reason. */
export async function pause(signal?: AbortSignal): Promise<void> {
  signal?.throwIfAborted();
  const now = Date.now();
  if (now - last < 30) return;
  await new Promise((resume) => setTimeout(resume, 0));
  last = Date.now();
  signal?.throwIfAborted();
}
