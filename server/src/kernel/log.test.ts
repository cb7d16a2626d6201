import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const token = 'dGhpc2lzYXRva2VuZXhhbXBsZTEyMzQ1Njc4OTAxMjM';

/** What a process of its own writes, since the log writes to stderr itself. */
function written(statement: string): string {
  const module = JSON.stringify(join(import.meta.dirname, 'log.ts'));
  const program = `import { createLog } from ${module}; const log = createLog('debug'); const token = '${token}'; ${statement}`;
  return spawnSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' }).stderr;
}

test.each([
  `log.warn({ webhookUrl: 'https://hooks.example.com/webhooks/meta/whatsapp/' + token }, 'x')`,
  `log.error({ error: String(new Error('POST /webhooks/evolution/whatsapp/' + token + '/messages-upsert failed')) }, 'x')`,
  `log.info({ deep: { list: ['/webhooks/twilio/whatsapp/' + token + '?attempt=1'] } }, 'x')`,
  `log.child({ url: '/webhooks/instagram/instagram/' + token }).info({}, 'x')`,
  `log.info({}, 'called at /webhooks/webjs/whatsapp/' + token)`,
  `log.info({ token, account: { verifyToken: token, webhookSecret: token } }, 'x')`,
])('a webhook token is cut out of %s', (statement) => {
  const line = written(statement);
  expect(line).toContain('redacted]');
  expect(line).not.toContain(token);
  expect(() => JSON.parse(line)).not.toThrow();
});

test('an instance’s name stays: it is no secret', () => {
  expect(written(`log.info({ path: '/webhooks/evolution/clinic-one' }, 'x')`)).toContain('clinic-one');
});
