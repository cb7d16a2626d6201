/** The part of `doctor` that looks at the database: as its owner, asking only. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Finding } from '#cli';
import type { Config } from '#config';
import type { Log } from '#kernel';
import {
  checkCatalogue,
  describeServer,
  migrationStates,
  neededRoleStatements,
  type ServerDescription,
  startEmbedded,
} from '#storage';
import { ok, problem, warning } from './finding.ts';

/** The embedded database is started for the time of the look, if it has been made; a first start is not done here. */
export async function examineDatabase(config: Config, log: Log): Promise<Finding[]> {
  if (config.databaseUrl) return examineAt(config.databaseUrl, config, `from ${config.origins.databaseUrl}`);
  if (!(await hasCluster(config.dataFolder)))
    return [ok('database', 'embedded, not made yet; the first start makes it in the data folder')];
  const cluster = await startEmbedded({ folder: config.dataFolder, log });
  try {
    const how = cluster.wasFound ? 'running' : 'started for this look';
    return await examineAt(cluster.ownerUrl, config, `embedded in ${cluster.dataFolder}, ${how}`);
  } finally {
    await cluster.stop();
  }
}

/** Where root's database had to go elsewhere, a note in the data folder says so. */
async function hasCluster(dataFolder: string): Promise<boolean> {
  const noted = await readFile(join(dataFolder, 'postgres-place.txt'), 'utf8').catch(() => '');
  return [join(dataFolder, 'postgres'), noted.trim()].some((folder) => existsSync(join(folder, 'data', 'PG_VERSION')));
}

async function examineAt(ownerUrl: string, config: Config, where: string): Promise<Finding[]> {
  const server = await describeServer({ ownerUrl });
  const findings = [ok('database', `PostgreSQL ${server.version}, ${where}`), ...durabilityFindings(server)];
  findings.push(await roleFinding(ownerUrl, config, server.mayCreateRoles));
  const states = await migrationStates({ ownerUrl });
  const open = states.filter((state) => !state.executedAt).length;
  if (open > 0)
    return [
      ...findings,
      warning('schema', `${open} of ${states.length} migration(s) to run: switchyard db migrate, or start`),
    ];
  const differences = await checkCatalogue({ ownerUrl });
  return [
    ...findings,
    ok('schema', `${states.length} migration(s) have run`),
    differences.length === 0
      ? ok('catalogue', 'as the migrations make it')
      : problem('catalogue', `${differences.length} difference(s): switchyard db status --check`),
  ];
}

function durabilityFindings(server: ServerDescription): Finding[] {
  const oldest = 150_000;
  const wrong = [
    ...(server.versionNumber < oldest ? ['PostgreSQL 15 or newer is needed'] : []),
    ...(server.isStandby ? ['it is a read-only standby'] : []),
    ...(server.fsync === 'on' ? [] : [`fsync is ${server.fsync}`]),
    ...(server.fullPageWrites === 'on' ? [] : [`full_page_writes is ${server.fullPageWrites}`]),
    ...(['off', 'local'].includes(server.synchronousCommit)
      ? [`synchronous_commit is ${server.synchronousCommit}`]
      : []),
  ];
  if (wrong.length > 0) return wrong.map((what) => problem('durability', `${what}; the server refuses to start on it`));
  return [ok('durability', `fsync on, full_page_writes on, synchronous_commit ${server.synchronousCommit}`)];
}

async function roleFinding(ownerUrl: string, config: Config, mayCreateRoles: boolean): Promise<Finding> {
  const missing = await neededRoleStatements({ ownerUrl });
  if (missing.length === 0) return ok('database roles', 'app, gateway and worker are there');
  if (mayCreateRoles) return ok('database roles', `${missing.length} to be made at the next start`);
  const given = Object.entries(config.roleUrls).flatMap(([role, url]) => (url ? [role] : []));
  const remedy = `have an administrator run: ${missing.join(' ')}`;
  if (given.length === 3 && missing.every((statement) => statement.includes(' LOGIN ')))
    return ok('database roles', 'log-ins are given by DATABASE_APP_URL, DATABASE_GATEWAY_URL and DATABASE_WORKER_URL');
  return problem('database roles', `the log-in of DATABASE_URL may not create roles; ${remedy}`);
}
