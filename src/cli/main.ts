#!/usr/bin/env node
/** The `wavecube` command. Exit codes: 0 done, 1 it failed, 2 it was called wrongly, 128 + n ended by signal n. */
import { createRequire } from 'node:module';
import { Command, CommanderError } from 'commander';
import { buildCommand } from './build.js';
import { compressCommand } from './compress.js';
import { convertCommand } from './convert.js';
import { explain } from './explain.js';
import { infoCommand } from './info.js';
import { stopBars } from './progress.js';
import { sampleCommand } from './sample.js';
import { serveCommand } from './serve.js';
import { exitOnSignals, Interrupted } from './signals.js';
import { splitCommand } from './split.js';
import { verifyCommand } from './verify.js';

// By its name, as it lies at another distance from the sources than from what is built of them.
const { version } = createRequire(import.meta.url)('wavecube/package.json') as { version: string };

const program = new Command('wavecube')
  .description(
    'Cubes of wavetables: build one from recordings, look at it, sample it; turn its file into others.',
  )
  .version(version, '-v, --version', 'print the version')
  .addHelpText(
    'after',
    `
Examples:
  wavecube build recordings/ -o piano.npz
  wavecube info piano.npz
  wavecube sample piano.npz 1.5 12 0 -o note.wav --duration 3
  wavecube sample piano.npz 1.5 12 4 -o cycle.png
  wavecube convert piano.npz piano.wvcb
  wavecube compress piano.wvcb small.wvcb --quality 0.99
  wavecube verify small.wvcb
  wavecube serve . --port 8080`,
  )
  .showHelpAfterError('(wavecube --help tells more)')
  .exitOverride();

for (const command of [
  buildCommand(),
  infoCommand(),
  sampleCommand(),
  convertCommand(),
  compressCommand(),
  splitCommand(),
  verifyCommand(),
  serveCommand(),
])
  program.addCommand(command.copyInheritedSettings(program));

exitOnSignals();
try {
  await program.parseAsync();
} catch (error) {
  stopBars();
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? 0 : 2;
  } else if (error instanceof Interrupted) {
    process.exit(error.exitCode);
  } else {
    process.stderr.write(`wavecube: ${explain(error)}\n`);
    if (process.env.WAVECUBE_DEBUG) console.error(error);
    process.exitCode = 1;
  }
}
