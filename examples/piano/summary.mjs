/**
 * Prints the table at the end of the job.
 * @param rows [what, value] or [what, value, bar, whether it is met].
 * @returns whether all bars are met.
 */
export function summary(rows) {
  const wide = Math.max(...rows.map(([what]) => what.length));
  console.log('');
  for (const [what, value, bar, met] of rows)
    console.log(
      `${what.padEnd(wide)}  ${value}${bar === undefined ? '' : `  ${met ? 'ok' : 'MISSED'} (${bar})`}`,
    );
  const missed = rows.filter(([, , bar, met]) => bar !== undefined && !met);
  console.log(
    missed.length === 0 ? '\nAll bars met.' : `\nMissed: ${missed.map(([what]) => what.trim()).join(', ')}`,
  );
  return missed.length === 0;
}
