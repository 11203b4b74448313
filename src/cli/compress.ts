/** `wavecube compress`: the nodes of a file within an error, in fewer bytes. */
import { Command } from 'commander';
import type { Quality } from '../codecs/quality.js';
import type { ConvertProgress } from '../grid/files/converting.js';
import { loadLibrary } from './engine.js';
import { backendOption, qualityBound } from './options.js';
import { checkPlace } from './output.js';
import { CUBE_ARGUMENT, checkInput, cubeOutput, endingOf } from './places.js';
import { stage } from './progress.js';
import { tellLost } from './recovered.js';
import { interruptible } from './signals.js';
import { sizeOnDisk } from './sizes.js';
import { bytesText, counted } from './wording.js';

interface Options {
  method: string;
  quality: Quality;
  recover?: boolean;
  json?: boolean;
  backend: string;
}

export function compressCommand(): Command {
  return new Command('compress')
    .summary('compress the nodes of a cube within an error')
    .description(
      `Writes what IN holds, a cube or a hierarchy of octaves, to OUT with each node
compressed; nodes that cannot reach the quality, would not get smaller, or hold
what the method does not take (NaN), stay as they are. They are read, compressed
and written one after the other. OUT is replaced when the new one is whole, not
before. Qualities:
  0.99          error of at most 1 % of the node, in root mean squares; 1: lossless
  maxAbs=1e-3   no value is off by more
  maxRel=1e-2   no value is off by more than this part of its channel's range
  psnr=40       peak signal-to-noise ratio in dB, at least
  bytes=4096    the least error in so many bytes a node
  lossless      every bit`,
    )
    .argument('<in>', CUBE_ARGUMENT)
    .argument('<out>', 'the new file: .npz, .wvcb, .h5 or .hdf5', cubeOutput)
    .option('-m, --method <name>', "a codec, or 'auto': for each node the one of the fewest bytes", 'auto')
    .option('-q, --quality <bound>', 'what each node must keep', qualityBound, 0.95)
    .option('--recover', 'take what is intact of a damaged file; exit code 1 if something was lost')
    .option('--json', 'says what became of the nodes as JSON')
    .addOption(backendOption())
    .addHelpText(
      'after',
      `
Examples:
  wavecube compress piano.npz piano.wvcb
  wavecube compress cube.wvcb small.wvcb --method dct --quality psnr=40
  wavecube compress cube.wvcb exact.wvcb --quality lossless`,
    )
    .action(compress);
}

async function compress(from: string, to: string, options: Options, command: Command): Promise<void> {
  const { method, quality, recover = false, json = false, backend } = options;
  if (endingOf(to) === '.zarr') command.error('error: a .zarr holds dense nodes only');
  checkInput(from);
  checkPlace(to);
  const { convert } = await loadLibrary(backend);
  const told = new Told();
  const compressing = stage('compress');
  const { count, lost } = await interruptible((signal) =>
    convert(from, to, {
      compress: { method, quality },
      recover,
      signal,
      onProgress(progress) {
        told.add(progress);
        compressing.update(progress.done, progress.total, told.soFar);
      },
    }),
  );
  compressing.done(counted(count, 'node'));
  tellLost(lost, from);
  const sizeBytes = await sizeOnDisk(to);
  process.stdout.write(
    json
      ? `${JSON.stringify({ file: to, sizeBytes, ...told.facts }, undefined, 2)}\n`
      : told.report(to, sizeBytes),
  );
}

/** What became of the nodes so far. */
class Told {
  #nodes = 0;
  /** As float32, and as they are stored. */
  #denseBytes = 0;
  #storedBytes = 0;
  #maxError = 0;
  readonly #codecs = new Map<string, { nodes: number; bytes: number }>();
  readonly #kept = new Map<string, number>();

  add({ node }: ConvertProgress): void {
    if (!node) return;
    const { codec, kept, shape, storedBytes, maxError } = node;
    this.#nodes++;
    this.#denseBytes += 4 * shape[0] * shape[1] * shape[2];
    this.#storedBytes += storedBytes;
    this.#maxError = Math.max(this.#maxError, maxError);
    const of = this.#codecs.get(codec ?? 'dense') ?? { nodes: 0, bytes: 0 };
    this.#codecs.set(codec ?? 'dense', { nodes: of.nodes + 1, bytes: of.bytes + storedBytes });
    if (kept) this.#kept.set(kept, (this.#kept.get(kept) ?? 0) + 1);
  }

  get #ratio(): number {
    return this.#storedBytes === 0 ? 1 : this.#denseBytes / this.#storedBytes;
  }

  get soFar(): string {
    return `${bytesText(this.#storedBytes)}, ${this.#ratio.toFixed(1)} times`;
  }

  get facts() {
    return {
      nodes: this.#nodes,
      denseBytes: this.#denseBytes,
      storedBytes: this.#storedBytes,
      ratio: this.#ratio,
      maxError: this.#maxError,
      codecs: Object.fromEntries(this.#codecs),
      kept: Object.fromEntries(this.#kept),
    };
  }

  report(to: string, sizeBytes: number): string {
    const row = (name: string, value: string) => `${name.padEnd(14)}${value}\n`;
    const codecs = [...this.#codecs].sort((a, b) => b[1].nodes - a[1].nodes);
    return [
      row('nodes', this.#nodes.toLocaleString('en')),
      row('bytes', `${bytesText(this.#denseBytes)} as float32, ${bytesText(this.#storedBytes)} now`),
      row('compression', `${this.#ratio.toFixed(1)} times`),
      row('max error', this.#maxError.toPrecision(3)),
      ...codecs.map(([codec, { nodes, bytes }]) =>
        row(codec, `${counted(nodes, 'node')}, ${bytesText(bytes)}`),
      ),
      ...[...this.#kept].map(([why, nodes]) => row('left as is', `${counted(nodes, 'node')}: ${why}`)),
      `${to}: ${bytesText(sizeBytes)}\n`,
    ].join('');
  }
}
