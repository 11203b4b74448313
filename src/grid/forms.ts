/**
 * What a compressed node is as a row of a bank. Nodes whose one parameter has a form (codecs/codec.ts) share a bank and are
 * blended there: their rows are padded with zeros to one of a few sizes, so that a cube has few banks. Any other
 * node's row is all its parameters, one after the other, to be decoded by itself.
 *
 * In a trainable cube the padding is trained along: a box of coefficients becomes the bank's box, a list of components as
 * long as the bank's.
 */
import * as tf from '@tensorflow/tfjs';
import type { DecodeContext, Form, WavetableCodec } from '../codecs/codec.js';
import {
  type HostTensor,
  type NodeShape,
  nextBoxSize,
  type Parameters,
  sizeOf,
} from '../codecs/parameters.js';
import { knownCodec } from '../codecs/registry.js';
import type { RowCodec } from './bank.js';

export interface RowForm {
  codec: RowCodec;
  row: readonly number[];
}

/** The least size of a box that is not below n, or `most`. */
export function roomFor(n: number, most = Number.POSITIVE_INFINITY): number {
  let size = 1;
  while (size < n) size = nextBoxSize(size);
  return Math.min(most, size);
}

/** The form of a bank's rows; undefined where they are decoded one by one. */
export function formOf({ codec, parameter }: RowCodec): Form | undefined {
  return parameter === null ? undefined : knownCodec(codec).forms[parameter];
}

/** The bank that a node's parameters belong to. */
export function rowFormOf(
  codec: WavetableCodec,
  shape: NodeShape,
  { params, constants }: Parameters,
): RowForm {
  const names = Object.keys(params);
  const form = names.length === 1 && Object.keys(constants).length === 0 ? codec.forms[names[0]] : undefined;
  if (!form) {
    const size = Object.values(params).reduce((sum, p) => sum + sizeOf(p.shape), 0);
    return { codec: { codec: codec.id, parameter: null }, row: [Math.max(1, size)] };
  }
  const [name] = names;
  const given = params[name].shape;
  const most = form.kind === 'linear' ? form.size(shape) : [];
  const padded = form.kind === 'linear' ? 2 : 1;
  const row = given.map((n, i) => (i < padded ? roomFor(n, most[i]) : n));
  return { codec: { codec: codec.id, parameter: name }, row };
}

/** A node's row. */
export function rowOf({ codec, row }: RowForm, { params }: Parameters): Float32Array {
  const out = new Float32Array(sizeOf(row));
  if (codec.parameter !== null) {
    const { shape, values } = params[codec.parameter];
    if (sizeOf(shape) === 0) return out;
    // The last axes are equal: lines of the leading one or two are moved into their places.
    const line = sizeOf(shape.slice(shape.length === 3 ? 1 : 0));
    const stride = sizeOf(row.slice(shape.length === 3 ? 1 : 0));
    for (let i = 0; i * line < values.length; i++) {
      out.set((values as Float32Array).subarray(i * line, (i + 1) * line), i * stride);
    }
    return out;
  }
  let at = 0;
  for (const { values } of Object.values(params)) {
    out.set(values as Float32Array, at);
    at += values.length;
  }
  return out;
}

/** The named parameters of a row of all parameters. Gradients: row. */
export function namedParams(row: tf.Tensor, like: Parameters['params']): Record<string, tf.Tensor> {
  let at = 0;
  const flat = row.flatten();
  return Object.fromEntries(
    Object.entries(like).map(([name, { shape }]) => {
      const size = sizeOf(shape);
      at += size;
      return [name, tf.slice(flat, at - size, size).reshape([...shape])];
    }),
  );
}

/** The parameters that a row holds, its padding included: what was trained. */
export function hostParams({ codec, row }: RowForm, values: Float32Array, like: Parameters): Parameters {
  const { constants } = like;
  if (codec.parameter !== null)
    return { params: { [codec.parameter]: { shape: row, values: values.slice() } }, constants };
  let at = 0;
  const params: Record<string, HostTensor> = {};
  for (const [name, { shape }] of Object.entries(like.params)) {
    at += sizeOf(shape);
    params[name] = { shape, values: values.slice(at - sizeOf(shape), at) };
  }
  return { params, constants };
}

/** [N, H, W, C] of rows [N, payload] of one bank whose form is `form`. Gradients: rows. */
export function decodeRows(
  form: Form,
  rows: tf.Tensor2D,
  row: readonly number[],
  context: DecodeContext,
): tf.Tensor4D {
  const shaped = rows.reshape([rows.shape[0], ...row]);
  return form.kind === 'linear'
    ? form.decode(shaped as tf.Tensor4D, context)
    : form.decode(shaped as tf.Tensor3D, context);
}
