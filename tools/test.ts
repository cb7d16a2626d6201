/**
 * `npm test`: everything there is to check, in order of speed, closing with one line `N passed, N failed`.
 *
 * Needs nothing but Node, npm and git: Redis and Chromium are taken from the machine or, as root on Debian, fetched.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensurePrograms } from './programs.ts';

const home = fileURLToPath(new URL('..', import.meta.url));

interface Tally {
  passed: number;
  failed: number;
}

const checks: readonly (readonly [name: string, command: readonly string[]])[] = [
  ['types', ['node_modules/tsgo/bin/tsc', '-p', 'tsconfig.json']],
  ['format and lint', ['node_modules/@biomejs/biome/bin/biome', 'check', '.']],
  [
    'promises',
    [
      'node_modules/oxlint/bin/oxlint',
      '--type-aware',
      '--quiet',
      '-D',
      'typescript/no-floating-promises',
      '-D',
      'typescript/no-misused-promises',
      'server',
      'contract',
      'simulator',
      'companion',
      'tools',
    ],
  ],
  ['console types', ['node_modules/vue-tsc/bin/vue-tsc.js', '-p', 'console/tsconfig.json', '--noEmit']],
  ['console build', ['node_modules/vite/bin/vite.js', 'build', 'console', '--logLevel', 'warn']],
];

function run(name: string, command: readonly string[]): boolean {
  const started = performance.now();
  const result = spawnSync(process.execPath, command, { cwd: home, stdio: 'inherit' });
  const seconds = ((performance.now() - started) / 1_000).toFixed(1);
  console.log(`${result.status === 0 ? 'ok  ' : 'FAIL'} ${name} (${seconds} s)`);
  return result.status === 0;
}

/** Runs the test files; the counts come from the runner's own report, so a run that never began counts as failed. */
function runTests(tally: Tally): void {
  const folder = mkdtempSync(join(tmpdir(), 'switchyard-test-'));
  const report = join(folder, 'report.json');
  const ok = run('tests', [
    'node_modules/vitest/vitest.mjs',
    'run',
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${report}`,
    ...process.argv.slice(2),
  ]);
  try {
    const counts = JSON.parse(readFileSync(report, 'utf8')) as { numPassedTests: number; numFailedTests: number };
    tally.passed += counts.numPassedTests;
    tally.failed += counts.numFailedTests;
    if (!ok && counts.numFailedTests === 0) tally.failed += 1;
    if (counts.numPassedTests === 0) tally.failed += 1;
  } catch (error) {
    console.error(`the test run left no report: ${String(error)}`);
    tally.failed += 1;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const tally: Tally = { passed: 0, failed: 0 };
for (const problem of ensurePrograms(['redis-server', 'chromium'])) {
  console.error(problem);
  tally.failed += 1;
}
for (const [name, command] of checks) {
  if (run(name, command)) tally.passed += 1;
  else tally.failed += 1;
}
runTests(tally);
console.log(`${tally.passed} passed, ${tally.failed} failed`);
process.exitCode = tally.failed === 0 ? 0 : 1;
