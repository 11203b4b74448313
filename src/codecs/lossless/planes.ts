/**
 * The channels of a wavetable as planes with a border, in which every neighbour of every value is there to be read:
 * two rows above, one below, two columns on each side. A border repeats what was coded next to it.
 */
import type { NodeShape } from '../parameters.js';

const ABOVE = 2;
const BELOW = 1;
const SIDE = 2;

export class Planes {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  /** From a value to the one below it. */
  readonly stride: number;
  /** From a value to that of the next channel. */
  readonly size: number;
  /** All planes, one after the other. */
  readonly values: Float64Array;

  constructor([height, width, channels]: NodeShape) {
    this.height = height;
    this.width = width;
    this.channels = channels;
    this.stride = width + 2 * SIDE;
    this.size = (height + ABOVE + BELOW) * this.stride;
    this.values = new Float64Array(channels * this.size);
  }

  /** Where the value (y, 0) of a channel is. */
  row(channel: number, y: number): number {
    return channel * this.size + (y + ABOVE) * this.stride + SIDE;
  }

  /** Called before a row is coded: its left border repeats the value above. */
  open(channel: number, y: number): void {
    const at = this.row(channel, y);
    const value = y > 0 ? this.values[at - this.stride] : 0;
    this.values.fill(value, at - SIDE, at);
  }

  /** Called for each value of the first row once it is known: what is above the next one repeats it. */
  first(at: number, value: number): void {
    for (let row = 1; row <= ABOVE; row++) {
      this.values.fill(value, at - row * this.stride + 1, at - row * this.stride + 3);
    }
  }

  /** Called after a row was coded: its right border, and what is below the last row. */
  close(channel: number, y: number): void {
    const at = this.row(channel, y);
    const end = at + this.width;
    this.values.fill(this.values[end - 1], end, end + SIDE);
    if (y === this.height - 1) this.values.copyWithin(at - SIDE + this.stride, at - SIDE, end + SIDE);
  }

  /** All values [H, W, C] with their borders, as they are when each was just coded. */
  fill(all: ArrayLike<number>): void {
    for (let c = 0; c < this.channels; c++) {
      for (let y = 0; y < this.height; y++) {
        this.open(c, y);
        const at = this.row(c, y);
        for (let x = 0; x < this.width; x++) {
          const value = all[(y * this.width + x) * this.channels + c];
          this.values[at + x] = value;
          if (y === 0) this.first(at + x, value);
        }
        this.close(c, y);
      }
    }
  }
}
