/** `npm run fault` as a user runs it: real processes killed at every named point, a soak, and five planted bugs. */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { crashPointNames } from '#kernel';
import type { Report as WholeReport } from '../../../tools/fault/report.ts';
import { isThere } from '../../../tools/programs.ts';
import { keptInvariants, soundTotals } from '../support/fault-report.ts';

interface Report extends WholeReport {
  readonly details: {
    readonly points?: Readonly<Record<string, number>>;
    readonly failures: readonly string[];
    readonly redis?: string;
    readonly leftOut?: readonly string[];
  };
}

interface Outcome {
  readonly status: number;
  readonly report: Report | null;
  readonly words: string;
}

const main = join(import.meta.dirname, '..', '..', '..', 'tools', 'fault', 'main.ts');
const runMs = 600_000;

/** How much is done here; `npm run fault` does as much as it is told to. */
const size = {
  soak: ['--webhooks', '20000', '--kills', '15', '--rate', '220'],
  crashPoints: ['--hits', '1'],
} as const;

/** All runs begin from copies of one stage. */
let template: string;
beforeAll(() => {
  template = mkdtempSync(join(tmpdir(), 'switchyard-fault-template-'));
});
afterAll(() => rmSync(template, { recursive: true, force: true }));

/** A run refuses to begin where somebody's database is named. */
const nobodys = { DATABASE_URL: '', DB_HOST: '', REDIS_URL: '', REDIS_HOST: '' };

function fault(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Outcome> {
  return new Promise((resolve) => {
    const options = { env: { ...process.env, ...nobodys, ...env }, maxBuffer: 64 * 1024 * 1024, timeout: runMs };
    execFile(process.execPath, [main, ...args], options, (error, out, words) => {
      const status = error === null ? 0 : typeof error.code === 'number' ? error.code : -1;
      const line = out.trim().split('\n').at(-1);
      resolve({ status, report: line ? (JSON.parse(line) as Report) : null, words });
    });
  });
}

const whole = { ...soundTotals, invariants: keptInvariants };

test.for([
  ['an unknown run', ['avalanche']],
  ['no run at all', []],
  ['an unknown option', ['soak', '--hard']],
  ['an option of another run', ['crash-points', '--webhooks', '5']],
  ['a number that is none', ['soak', '--webhooks', 'many']],
  ['more than the limit', ['soak', '--webhooks', '100000000']],
  ['a planted bug without the second word', ['soak', '--planted', 'resend-blindly']],
  ['parts that are kept nowhere', ['soak', '--webhooks', '10', '--parts', '2']],
  ['parts of what is not said', ['crash-points', '--parts', '2', '--resume', '/tmp/no-such-file']],
] as const)('%s is refused with one line and status 2', async ([, args]) => {
  const { status, report, words } = await fault(args, { SWITCHYARD_FAULTS: '' });
  expect({ status, report, lines: words.trim().split('\n').length }).toEqual({ status: 2, report: null, lines: 1 });
});

test('every crash point once: nothing lost, doubled, out of order or crossed', { timeout: runMs }, async () => {
  const { status, report, words } = await fault([
    ...['crash-points', '--json', ...size.crashPoints, '--seed', '20261121', '--template', template],
  ]);
  expect(report, words).toMatchObject(whole);
  expect(report?.details.failures).toEqual([]);
  expect(report?.details.points).toEqual(Object.fromEntries(crashPointNames.map((name) => [name, 1])));
  expect(status).toBe(0);
});

test('a soak of every process, Postgres and Redis under load: nothing lost, doubled, out of order or crossed', {
  timeout: runMs,
}, async () => {
  const args = ['soak', '--json', ...size.soak, '--seed', '20261121', '--template', template];
  const { status, report, words } = await fault(args);
  expect(report, words).toMatchObject({ ...whole, kills: 15 });
  expect(report?.details).toMatchObject({ redis: isThere('redis-server') ? 'took part' : 'left out', leftOut: [] });
  expect(report?.details.failures).toEqual([]);
  expect(report?.acked).toBeGreaterThanOrEqual(20_000);
  expect(status).toBe(0);
});

describe('a planted bug fails the run', () => {
  test.for([
    ['acknowledge-before-commit', 'I1'],
    ['drop-the-unique-key', 'I3'],
    ['release-the-lock-early', 'I3'],
    ['resend-blindly', 'I4'],
    ['apply-only-the-first-receipt', 'I6'],
  ] as const)('%s: %s is broken', { timeout: runMs }, async ([name, invariant]) => {
    const args = ['soak', '--json', '--planted', name, '--seed', '5', '--template', template];
    const { status, report, words } = await fault(args, { SWITCHYARD_FAULTS: '1' });
    expect(report?.invariants[invariant], words).toBe(false);
    expect(status).toBe(1);
  });
});
