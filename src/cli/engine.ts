/** The library, loaded only when a command has work for it: --help and wrong calls answer at once. */
export async function loadLibrary(backend: string) {
  const tf = await import('@tensorflow/tfjs');
  // tfjs greets and warns on the console otherwise.
  tf.enableProdMode();
  const library = await import('../node.js');
  await library.ready({ backend });
  return library;
}
