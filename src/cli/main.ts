#!/usr/bin/env node
/** The `wavecube` command. Exit codes: 0 done, 1 it failed, 2 it was called wrongly. */
import { Command, CommanderError } from 'commander';
import { buildCommand } from './build.js';
import { explain } from './explain.js';
import { infoCommand } from './info.js';
import { sampleCommand } from './sample.js';

const program = new Command('wavecube')
  .description('Cubes of wavetables: build one from recordings, look at it, sample it.')
  .addHelpText(
    'after',
    `
Examples:
  wavecube build recordings/ -o piano.npz
  wavecube info piano.npz
  wavecube sample piano.npz 1.5 12 0 -o note.wav --duration 3
  wavecube sample piano.npz 1.5 12 4 -o cycle.png`,
  )
  .showHelpAfterError('(wavecube --help tells more)')
  .exitOverride();

for (const command of [buildCommand(), infoCommand(), sampleCommand()])
  program.addCommand(command.copyInheritedSettings(program));

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? 0 : 2;
  } else {
    process.stderr.write(`wavecube: ${explain(error)}\n`);
    if (process.env.WAVECUBE_DEBUG) console.error(error);
    process.exitCode = 1;
  }
}
