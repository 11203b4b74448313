/** The tables: Markdown, aligned so that a terminal shows them too. */
import { agrees, barRows, passName } from './bars.mjs';
import { describe } from './cases.mjs';
import { median } from './timing.mjs';

export function table(head, rows, numeric = () => true) {
  const all = [head, ...rows];
  const widths = head.map((_, c) => Math.max(3, ...all.map((row) => row[c].length)));
  const line = (row) =>
    `| ${row.map((cell, c) => (c && numeric(c) ? cell.padStart(widths[c]) : cell.padEnd(widths[c]))).join(' | ')} |`;
  const rule = widths.map((w, c) => (c && numeric(c) ? `${'-'.repeat(w - 1)}:` : '-'.repeat(w)));
  return [line(head), line(rule), ...rows.map(line)].join('\n');
}

const ms = (t) => (t >= 1000 ? t.toFixed(0) : t >= 100 ? t.toFixed(1) : t.toPrecision(3));
const times = (ratio) => `${ratio >= 100 ? ratio.toFixed(0) : ratio.toPrecision(2)}×`;
const megabytes = (bytes) => `${(bytes / 1e6).toFixed(1)} MB`;

/** The reason in brackets has been told when it happened. */
const inShort = (row) => row?.skipped?.split(' (')[0] ?? 'not run';

const agreement = (row) => (agrees(row) ? '' : ' DISAGREES');

/** One line a case and pass: Wavecube's time, and each other contender's with its ratio to Wavecube's. */
export function caseTable(results, main) {
  const beside = [...new Set(results.flatMap(({ rows }) => rows.map(({ peer }) => peer)))].filter(
    (peer) => peer !== main && peer !== 'memory copy',
  );
  const head = ['case', 'bytes moved', `${main}, ms`, 'part of copy bandwidth', 'memory copy', ...beside];
  const lines = results.flatMap(({ test, rows }) =>
    test.passes.map((pass) => {
      const of = (peer) => rows.find((row) => row.peer === peer && row.pass === pass);
      const own = of(main);
      const ours = own?.times && median(own.times);
      const cell = (peer) => {
        const row = of(peer);
        if (!row) return '–';
        if (row.skipped) return inShort(row);
        const time = median(row.times);
        const ratio = ours ? ` = ${times(time / ours)}` : '';
        const few =
          row.times.length < 7 ? ` (${row.times.length} run${row.times.length > 1 ? 's' : ''})` : '';
        return `${ms(time)}${ratio}${few}${agreement(row)}`;
      };
      const copy = of('memory copy')?.times;
      return [
        `${test.id} ${passName(pass)}`,
        megabytes(test.bytes[pass]),
        own?.times ? `${ms(ours)}${agreement(own)}` : inShort(own),
        copy && own?.times ? `${((100 * median(copy)) / ours).toFixed(0)} %` : '–',
        cell('memory copy'),
        ...beside.map(cell),
      ];
    }),
  );
  return table(head, lines);
}

export function memoryTable(rows) {
  const mb = (bytes) => (bytes / 1e6).toFixed(2);
  return table(
    [
      '10×10×10 of 64×64×4',
      'nodes',
      'dense MB',
      'stored MB',
      'resident MB',
      'index, bytes a node',
      'process grew by, MB',
    ],
    rows.map(({ kind, usage: u, rssBytes, skipped }) =>
      skipped
        ? [kind, skipped, ...Array(5).fill('–')]
        : [
            kind,
            String(u.nodes),
            ...[u.denseBytes, u.storedBytes, u.residentBytes].map(mb),
            (u.indexBytes / u.nodes).toFixed(1),
            mb(rssBytes),
          ],
    ),
  );
}

export function barTable(results, main) {
  return table(['ratio', 'measured', 'bar', ''], barRows(results, main), (c) => c < 3);
}

/** A line of progress when a contender has finished. */
export function progress({ peer, pass, times: t, skipped, error }) {
  const agreement = error === undefined ? '' : `  error ${error === null ? 'NaN' : error.toExponential(0)}`;
  return `      ${peer.padEnd(20)} ${passName(pass ?? '').padEnd(18)} ${skipped ?? `${ms(median(t))} ms${agreement}`}`;
}

export function caseList(results) {
  return results
    .map(({ test }) => `- ${test.id}: ${describe(test)}${test.single ? ', by `sample`' : ''}`)
    .join('\n');
}
