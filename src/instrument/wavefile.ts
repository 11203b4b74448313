/** The `wavefile` package, whose one class is a named export to bundlers and a property of the default to Node. */
import * as loaded from 'wavefile';

type Module = typeof import('wavefile');
const { WaveFile } = (
  (loaded as Partial<Module>).WaveFile ? loaded : (loaded as unknown as { default: Module }).default
) as Module;
type WaveFile = InstanceType<Module['WaveFile']>;

export { WaveFile };
