import * as tf from '@tensorflow/tfjs';
import { ArgumentError, check, DisposedError, shown } from '../errors.js';

/** @throws ArgumentError unless `x` is a float32 tensor; DisposedError if it is disposed. */
export function checkFloatTensor(where: string, name: string, x: unknown): asserts x is tf.Tensor {
  check(
    x instanceof tf.Tensor,
    () => new ArgumentError(`${where}: ${name} must be a tensor, got ${shown(x)}`),
  );
  check(!x.isDisposed, () => new DisposedError(`${where}: the tensor ${name} is disposed`));
  check(
    x.dtype === 'float32',
    () => new ArgumentError(`${where}: ${name} must be float32, got ${x.dtype}; cast it first`),
  );
}
