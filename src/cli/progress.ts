/** Progress of one stage: a bar on a terminal, one line when done elsewhere. */
import { Presets, SingleBar } from 'cli-progress';

export interface Stage {
  /** @param note what is said beside the bar. */
  update(done: number, of: number, note?: string): void;
  /** Ends the stage; says how long it took. */
  done(note?: string): void;
  /** Ends it without a word: what came of it is said elsewhere. */
  end(): void;
}

/** Bars on a terminal now: they hide its cursor and keep the event loop alive. */
const running = new Set<SingleBar>();

/** Gives the terminal back: when a stage fails, and at exit. */
export function stopBars(): void {
  for (const bar of running) bar.stop();
  running.clear();
}

/** @param stream where it is drawn: stderr, so that stdout stays what was asked for. */
export function stage(title: string, stream: NodeJS.WriteStream = process.stderr): Stage {
  const started = performance.now();
  const bar = stream.isTTY
    ? new SingleBar(
        {
          format: `${title.padEnd(22)} {bar} {percentage}% {value}/{total} {note}`,
          stream,
          hideCursor: true,
          clearOnComplete: true,
        },
        Presets.shades_classic,
      )
    : undefined;
  const stop = () => {
    if (bar && running.delete(bar)) bar.stop();
    if (running.size === 0) process.off('exit', stopBars);
  };
  return {
    update(done, of, note = '') {
      if (!bar) return;
      if (running.has(bar)) {
        bar.update(done, { note });
        return;
      }
      if (running.size === 0) process.once('exit', stopBars);
      running.add(bar);
      bar.start(of, done, { note });
    },
    end: stop,
    done(note = '') {
      stop();
      const seconds = (performance.now() - started) / 1000;
      stream.write(`${title.padEnd(22)} ${seconds.toFixed(1).padStart(5)} s${note ? `  ${note}` : ''}\n`);
    },
  };
}
