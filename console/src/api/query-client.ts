import { QueryClient } from '@tanstack/vue-query';
import { ProblemError } from './problem-error.ts';

const maxRetries = 2;
/** A busy server says when to come again, and is meanwhile told of beside the page. */
const maxBusyRetries = 20;
const longestDelayMs = 30_000;

/** What the server refused is not asked again; what it could not be asked is, twice. */
export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 10_000,
      refetchOnWindowFocus: true,
      retry: (failures, error) => failures < (isBusy(error) ? maxBusyRetries : maxRetries) && isPassing(error),
      retryDelay: (failures, error) => askedToWaitMs(error) ?? Math.min(1_000 * 2 ** failures, longestDelayMs),
    },
    mutations: { retry: false },
  },
});

function isBusy(error: Error): boolean {
  return error instanceof ProblemError && error.code === 'busy';
}

function askedToWaitMs(error: Error): number | null {
  if (!(error instanceof ProblemError) || error.retryAfterSeconds === null) return null;
  return error.retryAfterSeconds * 1_000;
}

function isPassing(error: Error): boolean {
  return error instanceof ProblemError && (error.problem.status === 0 || error.problem.status >= 500);
}
