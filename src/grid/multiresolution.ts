/** A cube whose nodes have resolutions of their own. */
import * as tf from '@tensorflow/tfjs';
import type { CompressedWavetable } from '../codecs/compressed.js';
import type { Quality } from '../codecs/quality.js';
import { ArgumentError, check, checkOptionNames, FormatError, shown } from '../errors.js';
import { resample } from '../ops/resample.js';
import type { Openable, OpenOptions } from './lazy/open.js';
import { WavetableMatrix } from './matrix.js';
import type { MatrixOptions, MixedOptions, Resolution } from './options.js';
import { type AdaptiveResolution, adaptiveResolution } from './resolution/adaptive.js';
import type { Wavetable } from './wavetable.js';

export interface MultiResolutionOptions extends MatrixOptions, MixedOptions {}

export interface SetNodeOptions {
  /** [H, W] of values in a row, or one number for both; a tensor and a compressed wavetable say it themselves. Default: the cube's. */
  resolution?: Resolution;
  /** Whether settle() compresses this node, codec and resolution; the cube's by default. */
  autoCompress?: boolean;
}

/**
 * A WavetableMatrix whose nodes may be of any resolution. A sample blends them at the cube's resolution, or the one asked for: each is
 * resampled band-limited, so that nothing aliases on the way down, and what a wavetable of fewer samples holds is there unchanged;
 * along an axis that the cube declares `periodic` as a wave, else mirrored at its ends. Samples sit at half-pixel centres:
 * nothing moves.
 *
 *     const cube = new MultiResolutionWavetableMatrix(2, 1, 1, { resolution: 256, channels: 1, periodic: { w: true } })
 *     cube.setNode(0, 0, 0, rough)                        // Tensor3D [1024, 1024, 1]
 *     cube.setNode(1, 0, 0, values, { resolution: [7, 300], autoCompress: false })
 *     const table = cube.sample(0.5, 0, 0)                // Tensor3D [256, 256, 1]
 *     await cube.settle()                                 // the first node in few bytes, within quality 0.95
 */
export class MultiResolutionWavetableMatrix extends WavetableMatrix {
  protected static override readonly mixed: boolean = true;
  /** Whether settle() compresses the nodes that are set from now on. */
  readonly autoCompress: boolean;

  /**
   * @param options as WavetableMatrix's; `resolution` is that of samples, and of nodes that do not say theirs.
   * @throws as WavetableMatrix.
   */
  constructor(width: number, height: number, depth: number, options: MultiResolutionOptions = {}) {
    super(width, height, depth, options);
    this.autoCompress = options.autoCompress ?? true;
  }

  override get options(): WavetableMatrix['options'] & Required<MixedOptions> {
    return { ...super.options, mixed: true, autoCompress: this.autoCompress };
  }

  /** As WavetableMatrix.load. @throws FormatError for the file of a cube of one resolution, too. */
  static override async load(path: string): Promise<MultiResolutionWavetableMatrix> {
    return mixedOf(await WavetableMatrix.load(path), path);
  }

  /** @param source what errors call the bytes. */
  static override async fromBytes(
    bytes: Uint8Array,
    source = 'bytes',
  ): Promise<MultiResolutionWavetableMatrix> {
    return mixedOf(await WavetableMatrix.fromBytes(bytes, source), source);
  }

  /** As WavetableMatrix.open. @throws FormatError for the file of a cube of one resolution, too. */
  static override async open(
    source: Openable,
    options: OpenOptions = {},
  ): Promise<MultiResolutionWavetableMatrix> {
    const name = typeof source === 'string' || source instanceof URL ? String(source) : 'the file';
    return mixedOf(await WavetableMatrix.open(source, options), name);
  }

  /**
   * Sets the node at integer (x, y, z), at its own resolution. Stored as it is at once; with autoCompress settle() compresses it.
   * @param wavetable [H, W, C], C the cube's; copied. Values in a row say their resolution in the options. Or a compressed
   * wavetable, which is stored as it is.
   * @throws CoordinateError outside the grid; ShapeError for other channels, or values that do not fill the resolution;
   * ArgumentError; DisposedError.
   */
  override setNode(
    x: number,
    y: number,
    z: number,
    wavetable: Wavetable | CompressedWavetable,
    options: SetNodeOptions = {},
  ): void {
    this.setEach('setNode', [{ where: 'setNode', x, y, z, wavetable, ...checkedSet('setNode', options) }]);
  }

  /**
   * Sets many nodes: all of them, or none where one is not what setNode takes.
   * @param nodes [x, y, z, wavetable, options?] each, as setNode takes them.
   */
  override setNodes(
    nodes: Iterable<
      readonly [
        x: number,
        y: number,
        z: number,
        wavetable: Wavetable | CompressedWavetable,
        options?: SetNodeOptions,
      ]
    >,
  ): void {
    check(
      typeof nodes?.[Symbol.iterator] === 'function',
      () =>
        new ArgumentError(
          `setNodes: nodes must be a list of [x, y, z, wavetable, options], got ${shown(nodes)}`,
        ),
    );
    const given = [...nodes].map((node, i) => {
      const where = `setNodes[${i}]`;
      check(
        Array.isArray(node),
        () => new ArgumentError(`${where}: must be [x, y, z, wavetable, options], got ${shown(node)}`),
      );
      const [x, y, z, wavetable, options = {}] = node;
      return { where, x, y, z, wavetable, ...checkedSet(where, options) };
    });
    this.setEach('setNodes', given);
  }

  /** getResolution of all nodes, by 'x_y_z'. */
  getResolutionMap(): Map<string, [height: number, width: number]> {
    return new Map([...this.positions()].map(([x, y, z]) => [`${x}_${y}_${z}`, this.getResolution(x, y, z)]));
  }

  /**
   * Brings a node down to the smallest grid whose band-limited reconstruction keeps within a bound: adaptiveResolution of the
   * node as it is now, with the cube's `periodic`. It is stored dense. One that is set meanwhile stays as it was set.
   * @param options.quality see Quality, default 0.95. @param options.autoCompress as setNode's, also where the node stays as it is;
   * the cube's by default. @param options.signal ends the work.
   * @returns the resolution that it has now, and the error that this has added; that of an error of none where it stays.
   * @throws MissingNodeError where there is none; ArgumentError as adaptiveResolution.
   */
  async adaptNode(
    x: number,
    y: number,
    z: number,
    options: { quality?: Quality; signal?: AbortSignal; autoCompress?: boolean } = {},
  ): Promise<AdaptiveResolution> {
    checkOptionNames('adaptNode', options, ['quality', 'signal', 'autoCompress']);
    const { quality = 0.95, signal } = options;
    const { autoCompress } = checkedSet('adaptNode', { autoCompress: options.autoCompress });
    const node = this.getNode(x, y, z);
    const changed = this.watchNode('adaptNode', x, y, z);
    let stale = true;
    try {
      let found: AdaptiveResolution;
      try {
        found = await adaptiveResolution(node, quality, { periodic: this.options.periodic, signal });
      } finally {
        stale = changed();
      }
      this.checkAlive('adaptNode');
      const [h, w] = found.resolution;
      if (!stale && (h !== node.shape[0] || w !== node.shape[1])) {
        tf.tidy(() => {
          const down = resample(node.expandDims(0) as tf.Tensor4D, h, w, this.options.periodic);
          this.setNode(x, y, z, down.squeeze([0]), { autoCompress });
        });
        return found;
      }
      if (!stale && autoCompress !== undefined) this.leavePending('adaptNode', [x, y, z], autoCompress);
      const exact = { maxError: 0, psnr: Number.POSITIVE_INFINITY, relativeError: 0 };
      return { resolution: this.getResolution(x, y, z), achieved: exact };
    } finally {
      node.dispose();
    }
  }
}

function mixedOf(cube: WavetableMatrix, source: string): MultiResolutionWavetableMatrix {
  if (cube instanceof MultiResolutionWavetableMatrix) return cube;
  cube.dispose();
  throw new FormatError(source, 'holds a cube of one resolution; WavetableMatrix.load reads it');
}

function checkedSet(where: string, options: SetNodeOptions): SetNodeOptions {
  checkOptionNames(where, options, ['resolution', 'autoCompress']);
  const { resolution, autoCompress } = options;
  check(
    autoCompress === undefined || typeof autoCompress === 'boolean',
    () => new ArgumentError(`${where}: autoCompress must be a boolean, got ${shown(autoCompress)}`),
  );
  return { resolution, autoCompress };
}
