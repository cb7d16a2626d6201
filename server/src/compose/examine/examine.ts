/** What `doctor` looks at. Nothing is changed; each look that fails is a finding, not an end. */
import { existsSync } from 'node:fs';
import { access, constants, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Finding } from '#cli';
import { type Config, parseConfig } from '#config';
import type { Log } from '#kernel';
import { describeRedis, keyFileName, parseKeyring } from '#storage';
import { isConsoleStale } from '../serving/console.ts';
import { neededPorts, usePort } from '../serving/ports.ts';
import { examineDatabase } from './examine-database.ts';
import { ok, problem, warning } from './finding.ts';

const neededNode = 24;

/** `openLog` is asked once the settings are known to be right. */
export async function examine(env: NodeJS.ProcessEnv, openLog: () => Log): Promise<readonly Finding[]> {
  const findings: Finding[] = [nodeFinding()];
  let config: Config;
  try {
    config = parseConfig(env);
  } catch (error) {
    return [...findings, problem('settings', messageOf(error))];
  }
  const log = openLog();
  findings.push(...settingFindings(config));
  const looks: readonly (readonly [name: string, look: () => Promise<readonly Finding[]>])[] = [
    ['data folder', () => examineFolder(config)],
    ['master key', () => examineKey(config)],
    ['database', () => examineDatabase(config, log)],
    ['engines', () => examineRedis(config, log)],
    ['ports', () => examinePorts(config)],
    ['console', examineConsole],
  ];
  for (const [name, look] of looks) {
    findings.push(...(await look().catch((error: unknown) => [problem(name, messageOf(error))])));
  }
  return findings;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function nodeFinding(): Finding {
  const major = Number(process.versions.node.split('.')[0]);
  return major >= neededNode
    ? ok('node', process.version)
    : problem('node', `${process.version}; Node ${neededNode} is needed: start by bin/switchyard.mjs`);
}

function settingFindings(config: Config): Finding[] {
  const origins = Object.entries(config.origins).map(([setting, origin]) => `${setting} from ${origin}`);
  return [
    ok('settings', `set: ${config.given.join(', ') || 'none, all as by default'}`),
    ok('origins', origins.join('; ')),
    ...config.overruled.map((name) =>
      warning('settings', `${name} is set but does not count: a newer name is set too`),
    ),
    publicUrlFinding(config),
    ok('roles', config.roles.join(', ')),
    ok(
      'features',
      Object.entries(config.features)
        .map(([name, isOn]) => `${name} ${isOn ? 'on' : 'off'}`)
        .join(', '),
    ),
    ...providerFindings(config),
  ];
}

function publicUrlFinding({ publicUrl }: Config): Finding {
  if (!publicUrl) return warning('PUBLIC_URL', 'is not set: providers on the internet cannot be told where to deliver');
  if (!publicUrl.startsWith('https:'))
    return warning('PUBLIC_URL', `${publicUrl} is not https: providers deliver to https only`);
  return ok('PUBLIC_URL', publicUrl);
}

function providerFindings(config: Config): Finding[] {
  return Object.entries(config.providerUrls).map(([provider, url]) =>
    ok(`provider ${provider}`, url ?? 'at the base URL of each account'),
  );
}

async function examineFolder({ dataFolder }: Config): Promise<Finding[]> {
  const found = await stat(dataFolder).catch(() => null);
  if (!found) return [ok('data folder', `${dataFolder} is not there yet; the first start makes it`)];
  if (!found.isDirectory()) return [problem('data folder', `${dataFolder} is no folder`)];
  try {
    await access(dataFolder, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch {
    return [problem('data folder', `${dataFolder} cannot be written to by this user`)];
  }
  return [ok('data folder', `${dataFolder} (mode 0${(found.mode & 0o777).toString(8)})`)];
}

async function examineKey({ masterKey, dataFolder }: Config): Promise<Finding[]> {
  const path = join(dataFolder, keyFileName);
  if (masterKey) return [ok('master key', `from SWITCHYARD_KEY, ${keysOf(masterKey)}`)];
  if (!existsSync(path)) return [ok('master key', 'is not there yet; the first start makes it in the data folder')];
  const { mode } = await stat(path);
  if (process.platform !== 'win32' && (mode & 0o077) !== 0)
    return [
      problem('master key', `${path} is open to others (mode 0${(mode & 0o777).toString(8)}): run chmod 600 ${path}`),
    ];
  return [ok('master key', `${path}, ${keysOf((await readFile(path, 'utf8')).trim())}`)];
}

/** Ids only. */
function keysOf(text: string): string {
  const { currentKeyId, masterKeys } = parseKeyring(text);
  return `seals by ${currentKeyId}${masterKeys.size > 1 ? `, ${masterKeys.size - 1} older kept` : ''}`;
}

async function examineRedis({ redisUrl }: Config, log: Log): Promise<Finding[]> {
  if (!redisUrl) return [ok('engines', 'jobs, cache, counters and doorbell on Postgres (REDIS_URL is not set)')];
  const { version, maxmemoryPolicy } = await describeRedis(redisUrl, log);
  const found = ok('engines', `jobs, cache, counters and doorbell on Redis ${version}`);
  if (maxmemoryPolicy === 'noeviction') return [found];
  return [
    found,
    warning(
      'redis',
      `maxmemory-policy is ${maxmemoryPolicy}; set noeviction, or jobs may be thrown away when it is full`,
    ),
  ];
}

async function examinePorts(config: Config): Promise<Finding[]> {
  const uses = await Promise.all(neededPorts(config).map((port) => usePort(config, port)));
  const own = uses[0];
  if (own?.state === 'switchyard') return [ok('ports', `Switchyard runs at ${config.localUrl}`)];
  const taken = uses.filter(({ state }) => state !== 'free');
  if (taken.length > 0) return taken.map(({ detail }) => problem('ports', detail));
  return [ok('ports', `${uses.map(({ port }) => port).join(', ')} free`)];
}

async function examineConsole(): Promise<Finding[]> {
  return [
    (await isConsoleStale())
      ? warning('console', 'is not built, or older than its sources; start builds it')
      : ok('console', 'built'),
  ];
}
