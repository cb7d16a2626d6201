/** What `doctor` looks at. Nothing is changed; each look that fails is a finding, not an end. */
import type { Finding } from '#cli';
import { type Config, parseConfig } from '#config';
import type { Log } from '#kernel';
import { checkCatalogue, migrationStates } from '#storage';
import { openFoundation, openOwnerDatabase } from './foundation.ts';

export async function examine(env: NodeJS.ProcessEnv, openLog: () => Log): Promise<readonly Finding[]> {
  const findings: Finding[] = [{ name: 'node', state: 'ok', detail: process.version }];
  const config = look(findings, 'settings', () => parseConfig(env));
  if (!config) return findings;
  findings.push(...settingFindings(config));
  const log = openLog();
  await lookAsync(findings, 'database', async () => {
    const owner = await openOwnerDatabase(config, log);
    try {
      const states = await migrationStates({ ownerUrl: owner.ownerUrl });
      const open = states.filter((state) => !state.executedAt).length;
      findings.push({
        name: 'schema',
        state: open === 0 ? 'ok' : 'warning',
        detail: open === 0 ? `${states.length} migration(s) run` : `${open} migration(s) to run: switchyard db migrate`,
      });
      if (open > 0) return `${owner.kind} answers`;
      const differences = await checkCatalogue({ ownerUrl: owner.ownerUrl });
      findings.push({
        name: 'catalogue',
        state: differences.length === 0 ? 'ok' : 'problem',
        detail:
          differences.length === 0
            ? 'as the migrations make it'
            : `${differences.length} difference(s): switchyard db status --check`,
      });
      return `${owner.kind} answers`;
    } finally {
      await owner.close();
    }
  });
  if (findings.some((finding) => finding.state === 'problem')) return findings;
  await lookAsync(findings, 'engines', async () => {
    const foundation = await openFoundation(config, log);
    try {
      return `jobs, cache, counters and doorbell on ${foundation.engines.kind}`;
    } finally {
      await foundation.close();
    }
  });
  return findings;
}

function settingFindings(config: Config): Finding[] {
  const from = Object.entries(config.origins).map(([setting, origin]) => `${setting} from ${origin}`);
  const findings: Finding[] = [{ name: 'settings', state: 'ok', detail: from.join('; ') }];
  if (!config.publicUrl)
    findings.push({
      name: 'PUBLIC_URL',
      state: 'warning',
      detail: 'is not set: providers cannot be told where to deliver, and log-in works on this machine only',
    });
  else if (!config.publicUrl.startsWith('https:'))
    findings.push({ name: 'PUBLIC_URL', state: 'warning', detail: 'is not https: providers deliver to https only' });
  return findings;
}

function look<T>(findings: Finding[], name: string, work: () => T): T | null {
  try {
    return work();
  } catch (error) {
    findings.push({ name, state: 'problem', detail: error instanceof Error ? error.message : String(error) });
    return null;
  }
}

async function lookAsync(findings: Finding[], name: string, work: () => Promise<string>): Promise<void> {
  try {
    findings.push({ name, state: 'ok', detail: await work() });
  } catch (error) {
    findings.push({ name, state: 'problem', detail: error instanceof Error ? error.message : String(error) });
  }
}
