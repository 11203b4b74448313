/** Progress of one stage: a bar on a terminal, one line when done elsewhere. */
import { Presets, SingleBar } from 'cli-progress';

export interface Stage {
  update(done: number, of: number): void;
  /** Ends the stage; says how long it took. */
  done(note?: string): void;
}

/** @param stream where it is drawn: stderr, so that stdout stays what was asked for. */
export function stage(title: string, stream: NodeJS.WriteStream = process.stderr): Stage {
  const started = performance.now();
  const bar = stream.isTTY
    ? new SingleBar(
        {
          format: `${title.padEnd(22)} {bar} {percentage}% {value}/{total}`,
          stream,
          hideCursor: true,
          clearOnComplete: true,
        },
        Presets.shades_classic,
      )
    : undefined;
  let running = false;
  return {
    update(done, of) {
      if (!bar) return;
      if (!running) bar.start(of, done);
      else bar.update(done);
      running = true;
    },
    done(note = '') {
      if (running) bar?.stop();
      const seconds = (performance.now() - started) / 1000;
      stream.write(`${title.padEnd(22)} ${seconds.toFixed(1).padStart(5)} s${note ? `  ${note}` : ''}\n`);
    },
  };
}
