/** `wavecube verify`: whether files are as they were written. */
import { Command } from 'commander';
import type { Verified } from '../grid/files/verifying.js';
import { loadFileLibrary } from './engine.js';
import { explain } from './explain.js';
import { CUBE_ARGUMENT } from './places.js';
import { stage } from './progress.js';
import { damageText } from './recovered.js';
import { interruptible } from './signals.js';
import { bytesText, counted } from './wording.js';

export function verifyCommand(): Command {
  return new Command('verify')
    .summary('check that files are whole')
    .description(
      `Reads all of each FILE, verifies every checksum, decodes nothing, and says what
is damaged: file, node, byte, reason. Exit code 1 if anything is. What is intact
of a damaged file, 'wavecube convert --recover' brings into a new one.`,
    )
    .argument('<file...>', CUBE_ARGUMENT)
    .option('--json', 'as JSON: a list with an object for each file')
    .addHelpText(
      'after',
      `
Examples:
  wavecube verify piano.wvcb piano.npz
  wavecube verify https://example.org/piano.wvcb --json`,
    )
    .action(verify);
}

/** What there is to say of a file that was checked, or could not be. */
type Checked = { file: string } & (Verified | { error: string });

async function verify(files: string[], { json = false }: { json?: boolean }): Promise<void> {
  const { verify: verified, WavecubeError } = await loadFileLibrary();
  const all: Checked[] = [];
  for (const file of files) {
    const checking = stage('verify');
    try {
      const found = await interruptible((signal) =>
        verified(file, { signal, onProgress: ({ done, total }) => checking.update(done, total) }),
      );
      checking.done(file);
      const { format, kind, ...counts } = found;
      all.push({ file, format, kind, ...counts });
      if (found.damage.length > 0) process.exitCode = 1;
      if (!json) process.stdout.write(report(file, found));
    } catch (error) {
      // A file that cannot be read keeps none of the others from being checked.
      if (!(error instanceof WavecubeError)) throw error;
      checking.end();
      process.exitCode = 1;
      all.push({ file, error: explain(error) });
      process.stderr.write(`wavecube: ${explain(error)}\n`);
    }
  }
  if (json) process.stdout.write(`${JSON.stringify(all, undefined, 2)}\n`);
}

function report(file: string, { nodes, tangents, bytes, damage }: Verified): string {
  const whole = [
    counted(nodes, 'node'),
    ...(tangents > 0 ? [counted(tangents, 'tangent')] : []),
    bytesText(bytes),
  ].join(', ');
  if (damage.length === 0) return `${file}: whole: ${whole}\n`;
  const lines = damage.map((one) => `damaged: ${damageText(one)}\n`);
  return `${lines.join('')}${file}: ${damage.length.toLocaleString('en')} damaged; whole: ${whole}\n`;
}
