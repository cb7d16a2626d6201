/** `npm run bench -- NAME [--json] [--pairs N] [--seconds N]`: one JSON document as the last line of stdout. */
import { parseArgs } from 'node:util';
import { accounts } from './accounts/accounts.ts';
import { ack } from './ack.ts';
import { ingest } from './ingest.ts';
import { ledger } from './ledger.ts';
import { logIn } from './log-in.ts';
import { memory } from './memory.ts';
import { route } from './route.ts';
import { start } from './start.ts';
import { turn } from './turn.ts';

const names = ['ingest', 'route', 'turn', 'memory', 'accounts', 'ledger', 'log-in', 'ack', 'start'] as const;
const usage = `usage: npm run bench -- ${names.join('|')} [--json] [--pairs N] [--seconds N] [--connections N] [--webhooks N] [--workspaces N] [--work-seconds N] [--rate N]`;

async function run(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      json: { type: 'boolean', default: false },
      pairs: { type: 'string', default: '5' },
      seconds: { type: 'string', default: '4' },
      connections: { type: 'string', default: '64' },
      webhooks: { type: 'string', default: '200000' },
      workspaces: { type: 'string', default: '10000' },
      'work-seconds': { type: 'string', default: '120' },
      rate: { type: 'string', default: '1000' },
      help: { type: 'boolean', default: false },
    },
  });
  const name = positionals[0];
  const numbers = {
    pairs: Number(values.pairs),
    seconds: Number(values.seconds),
    connections: Number(values.connections),
    webhooks: Number(values.webhooks),
    workspaces: Number(values.workspaces),
    workSeconds: Number(values['work-seconds']),
    rate: Number(values.rate),
  };
  const isSound = Object.values(numbers).every((value) => Number.isFinite(value) && value > 0 && value <= 10_000_000);
  if (values.help) {
    console.log(usage);
    return 0;
  }
  if (!names.some((known) => known === name) || positionals.length !== 1 || !isSound) {
    console.error(usage);
    return 2;
  }
  const report = await benchmark(name as (typeof names)[number], numbers);
  console.log(values.json ? JSON.stringify(report) : JSON.stringify(report, null, 2));
  return 0;
}

type Numbers = Readonly<
  Record<'pairs' | 'seconds' | 'connections' | 'webhooks' | 'workspaces' | 'workSeconds' | 'rate', number>
>;

async function benchmark(name: (typeof names)[number], numbers: Numbers) {
  switch (name) {
    case 'ingest':
      return ingest(numbers);
    case 'route':
      return route();
    case 'turn':
      return turn(numbers);
    case 'memory':
      return memory({ webhooks: numbers.webhooks });
    case 'accounts':
      return accounts(numbers);
    case 'ledger':
      return ledger(numbers);
    case 'log-in':
      return logIn();
    case 'ack':
      return ack(numbers);
    case 'start':
      return start(numbers);
  }
}

run().then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    const isUse = error instanceof TypeError && 'code' in error;
    console.error(isUse ? `${error.message}\n${usage}` : String(error));
    process.exitCode = isUse ? 2 : 1;
  },
);
