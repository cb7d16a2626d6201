/** Are the ports that a start needs still free? Asked before anything is begun, so that a refusal leaves nothing behind. */
import { createServer } from 'node:net';
import { type Config, simulatorPorts } from '#config';

export interface PortUse {
  readonly port: number;
  readonly state: 'free' | 'switchyard' | 'taken' | 'not-ours';
  readonly detail: string;
}

const askMs = 1_500;

export function neededPorts(config: Config): readonly number[] {
  const count = config.isDemo ? simulatorPorts + 1 : 1;
  return Array.from({ length: count }, (_, index) => config.port + index);
}

/** Throws one clear line for the first port that cannot be had. */
export async function refuseTakenPorts(config: Config): Promise<void> {
  for (const port of neededPorts(config)) {
    const { state, detail } = await usePort(config, port);
    if (state !== 'free') throw new PortRefused(detail);
  }
}

export class PortRefused extends Error {
  override readonly name = 'PortRefused';
}

export async function usePort(config: Config, port: number): Promise<PortUse> {
  const error = await tryListening(config.host, port);
  if (!error) return { port, state: 'free', detail: `port ${port} is free` };
  if (error.code !== 'EADDRINUSE')
    return { port, state: 'not-ours', detail: `cannot listen on ${config.host}:${port}: ${error.message}` };
  if (port === config.port && (await isSwitchyard(config.localUrl)))
    return {
      port,
      state: 'switchyard',
      detail: `Switchyard runs at ${config.localUrl} already; set PORT to another port, or stop that one`,
    };
  const why = port === config.port ? '' : ' and the stand-in providers need it (PORT+1 to PORT+5)';
  const remedy = port === config.port ? 'set PORT to another' : 'set PORT to another, or SWITCHYARD_DEMO=0';
  return { port, state: 'taken', detail: `port ${port} on ${config.host} is taken${why}; ${remedy}` };
}

function tryListening(host: string, port: number): Promise<NodeJS.ErrnoException | null> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', resolve);
    server.listen(port, host, () => server.close(() => resolve(null)));
  });
}

/** Whatever holds the port is asked as a client would; anything that is not our answer is a stranger. */
async function isSwitchyard(localUrl: string): Promise<boolean> {
  try {
    const answer = await fetch(`${localUrl}/health/live`, { signal: AbortSignal.timeout(askMs), redirect: 'error' });
    const body: unknown = await answer.json();
    return typeof body === 'object' && body !== null && 'status' in body && body.status === 'live' && 'version' in body;
  } catch {
    // No answer, or not one of ours: then it is another program's.
    return false;
  }
}
