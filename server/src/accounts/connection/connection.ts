/**
 * The life of an account's connection, as a table of moves.
 *
 * `disconnected`: nobody has connected it yet, or it was ended: by a person, by a log-out at the phone, by its provider.
 * `connecting`: it is wanted and not there yet: a QR code is shown, a session opens, the first webhook is waited for.
 * `connected`: the provider has told so, or has sent an authentic webhook. `error`: connecting failed, or the connection
 * was lost in a way that does not mend itself; the reason stands beside it.
 *
 * People ask (`connect`, `disconnect`), and what the table forbids is refused. Providers report, and what they report has
 * happened already: a report of a state takes the shortest way there by the table, so that a step which nobody told us of
 * (`connecting` before `connected`) is still a step.
 */
export const connectionStatuses = ['disconnected', 'connecting', 'connected', 'error'] as const;
export type ConnectionStatus = (typeof connectionStatuses)[number];

export const connectionMoves = {
  disconnected: ['connecting'],
  connecting: ['connected', 'disconnected', 'error'],
  connected: ['connecting', 'disconnected', 'error'],
  error: ['connecting', 'disconnected'],
} as const satisfies Record<ConnectionStatus, readonly ConnectionStatus[]>;

/** What people may ask for, and in which states. */
export const connectionActs = {
  connect: { from: ['disconnected', 'error'], to: 'connecting' },
  disconnect: { from: ['connecting', 'connected', 'error'], to: 'disconnected' },
} as const satisfies Record<string, { readonly from: readonly ConnectionStatus[]; readonly to: ConnectionStatus }>;
export type ConnectionAct = keyof typeof connectionActs;

export type ConnectionWish =
  | { readonly kind: 'act'; readonly act: ConnectionAct }
  | { readonly kind: 'report'; readonly status: ConnectionStatus };

export type ConnectionPlan =
  /** Each step a move of the table; none where it stands there already. */
  | { readonly kind: 'moves'; readonly steps: readonly ConnectionStatus[] }
  /** The state forbids it. */
  | { readonly kind: 'forbidden'; readonly status: ConnectionStatus };

export function planConnection(status: ConnectionStatus, wish: ConnectionWish): ConnectionPlan {
  if (wish.kind === 'report') return { kind: 'moves', steps: wayTo(status, wish.status) };
  const { from, to } = connectionActs[wish.act];
  return from.some((allowed) => allowed === status) ? { kind: 'moves', steps: [to] } : { kind: 'forbidden', status };
}

export function mayMove(from: ConnectionStatus, to: ConnectionStatus): boolean {
  return connectionMoves[from].some((allowed) => allowed === to);
}

/** Every state is reached from every other in at most two moves, since each may go to `connecting`. */
function wayTo(from: ConnectionStatus, to: ConnectionStatus): readonly ConnectionStatus[] {
  if (from === to) return [];
  return mayMove(from, to) ? [to] : ['connecting', to];
}
