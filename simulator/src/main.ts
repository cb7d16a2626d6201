/**
 * `node simulator/src/main.ts --port-base 3001 [--host 127.0.0.1] [--seed 1] [--quiet] [--until-stdin-ends]`: runs until
 * told to stop. With the last, also until stdin ends: a parent that is killed leaves no stand-in on its ports.
 */
import { parseArgs } from 'node:util';
import { startSimulator } from './start.ts';

const usage =
  'Usage: node simulator/src/main.ts [--port-base 3001] [--host 127.0.0.1] [--seed 1] [--quiet] [--until-stdin-ends]';

interface Arguments {
  readonly portBase: number;
  readonly host: string;
  readonly seed: number;
  readonly isQuiet: boolean;
  readonly endsWithStdin: boolean;
}

/** Exit status 2 for wrong use, 1 when a port cannot be had. */
async function main(): Promise<void> {
  const given = readArguments();
  if (typeof given === 'string') {
    console.error(`${given}\n${usage}`);
    process.exit(2);
  }
  const ports = portsFrom(given.portBase);
  const log = given.isQuiet ? () => undefined : (line: string) => console.error(line);
  try {
    const simulator = await startSimulator({ ports, host: given.host, seed: given.seed, log });
    console.log(JSON.stringify(simulator.urls));
    const end = () => void simulator.close().then(() => process.exit(0));
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, end);
    if (given.endsWithStdin) process.stdin.resume().once('close', end);
  } catch (error) {
    console.error(`The simulator could not start: ${error instanceof Error ? error.message : String(error)}`);
    process.exit(1);
  }
}

function portsFrom(base: number) {
  return { phone: base, graph: base + 1, twilio: base + 2, evolution: base + 3, webjs: base + 4 };
}

function readArguments(): Arguments | string {
  try {
    const { values } = parseArgs({
      options: {
        'port-base': { type: 'string', default: '3001' },
        host: { type: 'string', default: '127.0.0.1' },
        seed: { type: 'string', default: '1' },
        quiet: { type: 'boolean', default: false },
        'until-stdin-ends': { type: 'boolean', default: false },
      },
    });
    const portBase = Number(values['port-base']);
    if (!Number.isInteger(portBase) || portBase < 1 || portBase > 65_531) return '--port-base must be a port number';
    const seed = Number(values.seed);
    if (!Number.isInteger(seed)) return '--seed must be a whole number';
    return { portBase, host: values.host, seed, isQuiet: values.quiet, endsWithStdin: values['until-stdin-ends'] };
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

await main();
