/** The checker: three witnesses, every invariant, after the faults have ended. Changes nothing. */
import { readFile } from 'node:fs/promises';
import type pg from 'pg';
import type { Stage } from '../stage/stage.ts';
import { counts, subjects } from './counts.ts';
import { countLeakedRows, countSecretsIn } from './leaks.ts';
import type { Counts, Evidence, Subjects } from './verdict.ts';
import { layOut, readAcked, type Witnesses } from './witnesses.ts';

export async function gatherEvidence(
  stage: Stage,
  facts: { readonly ackedFile: string; readonly isDrained: boolean },
): Promise<Evidence> {
  const acked = await readAcked(facts.ackedFile);
  await stage.standIn.read();
  return stage.cluster.session(async (client) => {
    return {
      ...(await countCases(client, { acked, provider: stage.standIn, shops: stage.shops })),
      leakedRows: await countLeakedRows(client, stage.shops),
      secretsInLogs: await countSecretsIn(stage.logFiles, stage.secrets),
      logLines: await countLines(stage.logFiles),
      isDrained: facts.isDrained,
    };
  });
}

/** By the three witnesses; past row-level security. Leaves temporary tables behind in the session. */
export async function countCases(
  client: pg.Client,
  witnesses: Witnesses,
): Promise<{ readonly counts: Counts; readonly subjects: Subjects }> {
  await layOut(client, witnesses);
  return {
    counts: (await countAll(client, counts)) as Counts,
    subjects: { acked: witnesses.acked.length, ...((await countAll(client, subjects)) as Omit<Subjects, 'acked'>) },
  };
}

async function countAll(
  client: pg.Client,
  statements: Readonly<Record<string, string>>,
): Promise<Record<string, number>> {
  const found: Record<string, number> = {};
  for (const [name, text] of Object.entries(statements)) {
    const { rows } = await client.query<Record<string, string>>(text);
    found[name] = Number(Object.values(rows[0] ?? {})[0]);
  }
  return found;
}

async function countLines(files: readonly string[]): Promise<number> {
  const texts = await Promise.all(files.map((file) => readFile(file, 'utf8')));
  return texts.reduce((sum, text) => sum + text.split('\n').filter(Boolean).length, 0);
}
