/** Gradients of kernels whose inputs go by names: what is saved of a call, and what its gradients are. */
import * as tf from '@tensorflow/tfjs';

/** From the gradient dy of a call's result and what was saved: how to make the gradient of each input that has one. */
export type Rule<Inputs, Attrs> = (
  dy: tf.Tensor,
  saved: Inputs,
  attrs: Attrs,
) => Record<string, () => tf.Tensor>;

/** Kernel, names of the inputs that its rule reads, rule. */
export type Rules<Inputs, Attrs> = readonly [string, (keyof Inputs & string)[], Rule<Inputs, Attrs>][];

/** Registers them with tfjs's engine. */
export function registerRules<Inputs, Attrs>(rules: Rules<Inputs, Attrs>): void {
  for (const [kernelName, inputsToSave, rule] of rules) {
    tf.registerGradient({
      kernelName,
      inputsToSave,
      gradFunc: (dy, saved, attrs) => {
        const inputs = Object.fromEntries(inputsToSave.map((name, i) => [name, saved[i]]));
        return rule(dy as tf.Tensor, inputs as Inputs, attrs as Attrs);
      },
    });
  }
}
