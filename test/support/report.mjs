/**
 * Sends what a mocha runner does as plain events, from Node (over IPC) and from a page (over a binding) alike, so
 * that results are known even where the process or the page dies midway. Runs in both: no Node built-ins.
 */
export function reportTo(send, runner) {
  const title = (test) => test.titlePath().join(' › ');
  runner.on('test', (test) => send({ kind: 'start', title: title(test) }));
  runner.on('pass', (test) => send({ kind: 'passed', title: title(test), ms: test.duration }));
  runner.on('pending', (test) => send({ kind: 'skipped', title: title(test) }));
  runner.on('fail', (test, error) => send({ kind: 'failed', title: title(test), error: describe(error) }));
  runner.on('suite end', (suite) => {
    if (suite.parent?.root) send({ kind: 'suite', title: suite.title });
  });
  runner.on('end', () => send({ kind: 'end' }));
}

function describe(error) {
  const lines = [error?.stack ?? String(error)];
  if (error?.message && !lines[0].includes(error.message)) lines.unshift(error.message);
  if (error?.expected !== undefined)
    lines.push(`expected: ${short(error.expected)}`, `actual:   ${short(error.actual)}`);
  if (error?.cause) lines.push(`cause: ${error.cause.stack ?? error.cause}`);
  return lines.join('\n');
}

function short(value) {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text?.length > 400 ? `${text.slice(0, 400)} …` : text;
}
