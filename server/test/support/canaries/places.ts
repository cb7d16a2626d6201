/** Every place where somebody might read, as text: the database whole, what the interface answers, what is logged and told. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { runCli } from '#cli';
import { createCommandDeps, openOwnerDatabase } from '#compose';
import { parseConfig } from '#config';
import { silentLog } from '#kernel';
import type { WholeProduct } from '../whole.ts';

export interface Place {
  readonly name: string;
  readonly text: string;
}

/** The superuser's eyes on the whole database: before them no policy hides a row. */
export interface OpenEyes {
  rows<Row extends object>(statement: string): Promise<Row[]>;
  close(): Promise<void>;
}

export async function openEyes(product: WholeProduct): Promise<OpenEyes> {
  const owner = await openOwnerDatabase(parseConfig(environment(product)), silentLog);
  await owner.close();
  const url = new URL(owner.ownerUrl);
  url.username = 'postgres';
  url.password = (await readFile(join(product.dataFolder, 'postgres-password'), 'utf8')).trim();
  const client = new pg.Client({ connectionString: url.href, options: '-c search_path=switchyard' });
  // The product ends first, and its database with it.
  client.on('error', () => undefined);
  await client.connect();
  return {
    rows: async <Row extends object>(statement: string) => (await client.query<Row>(statement)).rows,
    close: () => client.end(),
  };
}

/** Each table as `COPY … TO` would write it: bytes in hex. */
export async function dumpOf(eyes: OpenEyes): Promise<Place[]> {
  const tables = await eyes.rows<{ name: string }>(
    `SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables
     WHERE schemaname NOT IN ('pg_catalog', 'information_schema')`,
  );
  const places: Place[] = [];
  for (const { name } of tables) {
    const rows = await eyes.rows<{ line: string }>(`SELECT t::text AS line FROM ${name} t`);
    places.push({ name: `table ${name}`, text: rows.map(({ line }) => line).join('\n') });
  }
  return places;
}

function environment(product: WholeProduct): Record<string, string> {
  return { SWITCHYARD_DATA: product.dataFolder, PORT: new URL(product.url).port, SWITCHYARD_LOG: 'silent' };
}

/** One command beside the running product, as the program runs it. */
export async function commandOutput(product: WholeProduct, ...args: readonly string[]): Promise<Place> {
  const words: string[] = [];
  const output = { result: (text: string) => void words.push(text), note: (text: string) => void words.push(text) };
  const env = environment(product);
  const deps = await createCommandDeps({ env, output, confirm: async () => undefined, signals: process });
  await runCli(args, deps);
  return { name: `switchyard ${args.join(' ')}`, text: words.join('\n') };
}

/** Every GET that the interface documents, with what there is of each kind. */
export async function answersOf(
  url: string,
  headers: Readonly<Record<string, string>>,
  ids: readonly string[],
): Promise<Place[]> {
  const { paths } = (await (await fetch(`${url}/api/openapi.json`)).json()) as { paths: Record<string, object> };
  const gets = Object.entries(paths).filter(([path, acts]) => 'get' in acts && !path.endsWith('/events'));
  const asked = gets.flatMap(([path]) => (path.includes('{') ? ids.map((id) => path.replace(/\{\w+\}/, id)) : [path]));
  const places: Place[] = [];
  for (const path of [...asked, '/metrics', '/health/ready', '/health/live']) {
    const answer = await fetch(url + path, { headers });
    const text = `${await answer.text()} ${JSON.stringify([...answer.headers])}`;
    places.push({ name: `GET ${path} (${answer.status})`, text });
  }
  return places;
}

/** Logs that the database writes beside its tables. */
export async function filesOf(folder: string): Promise<Place[]> {
  const files = await readdir(folder, { recursive: true, withFileTypes: true });
  const logs = files.filter((file) => file.isFile() && file.name.endsWith('.log'));
  return Promise.all(
    logs.map(async ({ parentPath, name }) => ({ name, text: await readFile(join(parentPath, name), 'latin1') })),
  );
}

/** What is told live from now on. */
export async function listenTo(url: string, headers: Readonly<Record<string, string>>) {
  const stopping = new AbortController();
  const answer = await fetch(`${url}/api/v1/events`, { headers, signal: stopping.signal });
  let text = '';
  const reading = (async () => {
    for await (const piece of answer.body ?? []) text += Buffer.from(piece).toString();
  })().catch(() => undefined);
  return {
    async stop(): Promise<Place> {
      stopping.abort();
      await reading;
      return { name: 'live events', text };
    },
  };
}

/** Where a secret turns up: as it is, in hex, in base64, or percent-encoded. */
export function tracesOf(secrets: Readonly<Record<string, string>>, places: readonly Place[]): string[] {
  return Object.entries(secrets).flatMap(([name, secret]) => {
    const bytes = Buffer.from(secret);
    const forms = [
      secret,
      bytes.toString('hex'),
      bytes.toString('base64').replaceAll('=', ''),
      encodeURIComponent(secret),
    ];
    return places.flatMap((place) =>
      forms.some((form) => place.text.includes(form)) ? [`${name} in ${place.name}`] : [],
    );
  });
}
