import type * as tf from '@tensorflow/tfjs';
import { encode } from 'fast-png';
import { check, DisposedError, ShapeError } from '../errors.js';

/**
 * A picture as a PNG file's bytes, in Node and browser alike.
 * @param image [H, W, C] in [0, 1], clipped; C is 1 (grey), 3 (RGB) or 4 (RGBA).
 * @throws ShapeError for another shape.
 */
export async function encodePng(image: tf.Tensor3D): Promise<Uint8Array> {
  check(!image.isDisposed, () => new DisposedError('encodePng: the image tensor is disposed'));
  const [height, width, channels] = image.shape;
  check(
    image.rank === 3 && [1, 3, 4].includes(channels) && height > 0 && width > 0,
    () => new ShapeError('encodePng', 'image', '[H, W, 1 | 3 | 4]', image.shape),
  );
  const values = await image.data<'float32'>();
  const data = new Uint8Array(values.length);
  for (let i = 0; i < data.length; i++) data[i] = Math.round(255 * Math.min(Math.max(values[i], 0), 1));
  return encode({ width, height, data, channels: channels as 1 | 3 | 4, depth: 8 });
}
