/** Compressing nodes on their way from one file to another: by the rules of compressAll, without a cube. */
import * as tf from '@tensorflow/tfjs';
import { CompressedWavetable } from '../../codecs/compressed.js';
import type { NodeShape } from '../../codecs/parameters.js';
import { knownCodec } from '../../codecs/registry.js';
import { unpackRow } from '../../ops/half.js';
import {
  type CompressibleNodes,
  type CompressionOptions,
  compressCells,
  type NodeReport,
} from '../compression.js';
import type { StoredNode } from './storednodes.js';

type Dense = Extract<StoredNode, { values: unknown }>;

/**
 * A node within the quality in fewer bytes; as it was, where it cannot be had so. Tangents stay dense: give none.
 * @returns what compressAll would leave in the cube, its report, and [H, W, C] before.
 */
export async function compressStored(
  where: string,
  node: StoredNode,
  options: CompressionOptions,
): Promise<{ node: StoredNode; report: NodeReport; shape: NodeShape }> {
  let held = node;
  const place: [number, number, number] = [node.x, node.y, node.z];
  const before = 'compressed' in node ? CompressedWavetable.read(node.compressed, { source: where }) : null;
  let [codec, shape] = before ? [before.codec, before.shape] : [null, (node as Dense).shape];
  const given = shape;
  const cells: CompressibleNodes = {
    has: () => true,
    codec: () => codec,
    read: () => (before ? knownCodec(before.codec).decode(before) : denseTensor(node as Dense)),
    resolution: () => [shape[0], shape[1]],
    storedBytes: () => ('compressed' in held ? held.compressed : held.values).byteLength,
    watch: () => () => false,
    replace: (_, __, compressed) => {
      held = { x: place[0], y: place[1], z: place[2], compressed: compressed.bytes };
      [codec, shape] = [compressed.codec, compressed.shape];
    },
    place: () => place,
    trim() {},
    alive() {},
  };
  try {
    const [report] = await compressCells(where, cells, [0], options, () => true);
    return { node: held, report, shape: given };
  } finally {
    before?.dispose();
  }
}

/** [H, W, C] float32 of a dense node's floats or halves. */
function denseTensor({ shape, values }: Dense): tf.Tensor3D {
  const size: [number, number, number] = [...(shape as NodeShape)];
  if (values instanceof Float32Array) return tf.tensor3d(values, size);
  const floats = new Float32Array(values.length);
  const even = values.length % 2 === 0 && values.byteOffset % 4 === 0;
  const lanes = even ? new Int32Array(values.buffer, values.byteOffset, values.length / 2) : packed(values);
  unpackRow(lanes, 0, values.length, floats);
  return tf.tensor3d(floats, size);
}

/** Halves at an address that is a multiple of 4, with room for an even number of them. */
function packed(halves: Uint16Array): Int32Array {
  const lanes = new Int32Array((halves.length + 1) >> 1);
  new Uint16Array(lanes.buffer).set(halves);
  return lanes;
}
