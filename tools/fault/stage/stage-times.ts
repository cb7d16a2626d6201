/** Short, so that a run sees many of them run out. */
export const stageTimes = { leaseMs: 2_000, sendTimeoutMs: 2_000, uncertainWaitMs: 2_000 } as const;
