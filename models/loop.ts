/**
 * The training loop that all fits share: take a gradient, let each optimiser move its own variables, and now and then look up to
 * tell how it goes, whether it still gets better, and whether to stop.
 */
import * as tf from '@tensorflow/tfjs';
import { checkOptionNames } from '../src/errors.js';
import { ArgumentError, WavecubeError } from '../src/index.js';

export interface Progress {
  /** Steps done, of `steps`. */
  step: number;
  steps: number;
  /** The loss of this step's batch, regularisers included. */
  loss: number;
  /** Of the validation data, where there are some: the loss alone. */
  validationLoss?: number;
}

export interface TrainingOptions {
  /** Steps at most; default 1,000. */
  steps?: number;
  /** Default: Adam. It stays the caller's, to go on with. */
  optimizer?: tf.Optimizer;
  /** Of the default optimiser; a number, or of the step (from 0). Default 0.01. */
  learningRate?: number | ((step: number) => number);
  /** Called every `progressEvery` steps and after the last. */
  onProgress?: (progress: Progress) => void;
  /** Default 50. The loss is only read then: reading waits for a GPU. */
  progressEvery?: number;
  /**
   * Stops when this many reports brought no better validation loss (or loss, without validation data), and puts the best variables
   * back. Default: never.
   */
  patience?: number;
  /** What counts as better: by this part of the best. Default 1e-4. */
  minDelta?: number;
  /** Aborts between two steps: the fit rejects with its reason, and the variables are as the last step left them. */
  signal?: AbortSignal;
}

export interface TrainingResult {
  /** Steps done. */
  steps: number;
  /** The watched loss of the variables as they are now: of validation data, or of the last batch. */
  loss: number;
  /** Every report, in order. */
  history: Progress[];
  stopped: 'steps' | 'early';
}

/** Variables that one optimiser moves. */
export interface Group {
  variables: tf.Variable[];
  optimizer: tf.Optimizer;
  learningRate?: number | ((step: number) => number);
}

export interface Training {
  /** What errors call the fit. */
  where: string;
  /** The loss of a step's batch. */
  loss(step: number): tf.Scalar;
  /** The loss of the validation data. */
  validationLoss?(): tf.Scalar;
  groups: Group[];
  /** Called after each step: puts variables back into their bounds. */
  afterStep?(): void;
}

/** How long steps may follow each other before the event loop has its turn. */
const TURN_MS = 30;

/** Names of TrainingOptions. */
const TRAINING_NAMES = [
  ...['steps', 'optimizer', 'learningRate', 'onProgress', 'progressEvery', 'patience', 'minDelta', 'signal'],
];

/** @param names of options besides those of TrainingOptions. @throws ArgumentError for options that are not what they say. */
export function checkTraining(where: string, options: TrainingOptions, names: readonly string[]): void {
  checkOptionNames(where, options, [...TRAINING_NAMES, ...names]);
  const counts = [
    ['steps', options.steps],
    ['progressEvery', options.progressEvery],
    ['patience', options.patience],
  ] as const;
  for (const [name, value] of counts) {
    if (value !== undefined && !(Number.isInteger(value) && value >= 1)) {
      throw new ArgumentError(`${where}: ${name} must be a positive integer, got ${value}`);
    }
  }
  checkRate(where, 'learningRate', options.learningRate);
  const { minDelta = 0, onProgress, signal } = options;
  if (!(minDelta >= 0 && Number.isFinite(minDelta))) {
    throw new ArgumentError(`${where}: minDelta must not be negative, got ${minDelta}`);
  }
  if (onProgress !== undefined && typeof onProgress !== 'function') {
    throw new ArgumentError(`${where}: onProgress must be a function, got ${onProgress}`);
  }
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw new ArgumentError(`${where}: signal must be an AbortSignal, got ${signal}`);
  }
}

/** @throws ArgumentError unless a rate is a positive number, or a function. */
export function checkRate(where: string, name: string, rate: TrainingOptions['learningRate']): void {
  if (rate === undefined || typeof rate === 'function') return;
  if (!(rate > 0 && Number.isFinite(rate))) {
    throw new ArgumentError(
      `${where}: ${name} must be a positive number, or a function of the step, got ${rate}`,
    );
  }
}

/** The group of variables that options speak of; `own` says whether the optimiser is ours to dispose. */
export function groupOf(variables: tf.Variable[], options: TrainingOptions): Group & { own: boolean } {
  const { optimizer, learningRate = 0.01 } = options;
  if (optimizer) return { variables, optimizer, own: false };
  const first = typeof learningRate === 'number' ? learningRate : learningRate(0);
  return { variables, optimizer: tf.train.adam(first), learningRate, own: true };
}

/** tfjs keeps an optimiser's rate to itself, but reads it at every step. */
const setRate = (optimizer: tf.Optimizer, rate: number) => {
  (optimizer as unknown as { learningRate: number }).learningRate = rate;
};

/** @throws what `signal` says; WavecubeError where a loss that was read is not finite. */
export async function train(training: Training, options: TrainingOptions): Promise<TrainingResult> {
  const { where, groups } = training;
  const { steps = 1000, progressEvery = 50, patience, minDelta = 1e-4, signal, onProgress } = options;
  const variables = groups.flatMap((group) => group.variables);
  const history: Progress[] = [];
  let best = Number.POSITIVE_INFINITY;
  let kept: tf.Tensor[] = [];
  let lost = 0;
  let turn = performance.now();
  try {
    for (let step = 0; step < steps; step++) {
      signal?.throwIfAborted();
      const { value, grads } = tf.variableGrads(() => training.loss(step), variables);
      for (const { variables: mine, optimizer, learningRate } of groups) {
        if (typeof learningRate === 'function') setRate(optimizer, learningRate(step));
        optimizer.applyGradients(Object.fromEntries(mine.map(({ name }) => [name, grads[name]])));
      }
      tf.dispose(grads);
      training.afterStep?.();
      const due = (step + 1) % progressEvery === 0 || step === steps - 1;
      if (!due) {
        value.dispose();
        if (performance.now() - turn > TURN_MS) {
          await tf.nextFrame();
          turn = performance.now();
        }
        continue;
      }
      const progress = { step: step + 1, steps, loss: await take(value) } as Progress;
      if (training.validationLoss) progress.validationLoss = await take(tf.tidy(training.validationLoss));
      const watched = progress.validationLoss ?? progress.loss;
      const wrong = [progress.loss, watched].find((value) => !Number.isFinite(value));
      if (wrong !== undefined) {
        throw new WavecubeError(
          `${where}: the loss is ${wrong} after ${step + 1} steps; lower the learningRate, or look for what is not finite in the data`,
        );
      }
      history.push(progress);
      // A loss may be negative: the part is of its size.
      const better = best === Number.POSITIVE_INFINITY || watched < best - minDelta * Math.abs(best);
      if (patience !== undefined && better) {
        best = watched;
        tf.dispose(kept);
        kept = variables.map((variable) => tf.keep(variable.clone()));
      }
      onProgress?.(progress);
      await tf.nextFrame();
      turn = performance.now();
      if (patience === undefined) continue;
      lost = better ? 0 : lost + 1;
      if (lost >= patience) {
        restore(variables, kept);
        return { steps: step + 1, loss: best, history, stopped: 'early' };
      }
    }
    const last = history[history.length - 1];
    let loss = last.validationLoss ?? last.loss;
    if (patience !== undefined && best < loss) {
      restore(variables, kept);
      loss = best;
    }
    return { steps, loss, history, stopped: 'steps' };
  } catch (error) {
    // What is not finite is of no use: the best that was seen is.
    if (error instanceof WavecubeError && kept.length) restore(variables, kept);
    throw error;
  } finally {
    tf.dispose(kept);
  }
}

function restore(variables: tf.Variable[], values: tf.Tensor[]): void {
  variables.forEach((variable, i) => {
    // A cube that its owner has disposed in the meantime is past help.
    if (!variable.isDisposed) variable.assign(values[i]);
  });
}

async function take(scalar: tf.Scalar): Promise<number> {
  try {
    return (await scalar.data())[0];
  } finally {
    scalar.dispose();
  }
}
