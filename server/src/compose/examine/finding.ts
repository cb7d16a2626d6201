import type { Finding } from '#cli';

export function ok(name: string, detail: string): Finding {
  return { name, state: 'ok', detail };
}

export function warning(name: string, detail: string): Finding {
  return { name, state: 'warning', detail };
}

export function problem(name: string, detail: string): Finding {
  return { name, state: 'problem', detail };
}
