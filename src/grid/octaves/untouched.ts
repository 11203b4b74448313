/**
 * Variables that a result does not depend on, put on its tape: an optimiser of tfjs knows the variables that get a gradient by their
 * place among them, so that one that a batch does not need must get zeros, or the others would take over its moments.
 */
import * as tf from '@tensorflow/tfjs';

/** The same values, with gradients of zeros to variables. */
export function withVariables(x: tf.Tensor4D, variables: readonly tf.Variable[]): tf.Tensor4D {
  if (variables.length === 0) return x;
  const none = variables
    .map((variable) =>
      tf.customGrad(() => ({
        value: tf.scalar(0),
        gradFunc: () => tf.zeros(variable.shape),
      }))(variable as unknown as tf.Tensor),
    )
    .reduce((sum, zero) => tf.add(sum, zero));
  return tf.add(x, none) as tf.Tensor4D;
}
