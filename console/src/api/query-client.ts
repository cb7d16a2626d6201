import { QueryClient } from '@tanstack/vue-query';
import { ProblemError } from './problem-error.ts';

const maxRetries = 2;

/** What the server refused is not asked again; what it could not be asked is, twice. */
export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 10_000,
      refetchOnWindowFocus: true,
      retry: (failures, error) => failures < maxRetries && isPassing(error),
    },
    mutations: { retry: false },
  },
});

function isPassing(error: Error): boolean {
  return error instanceof ProblemError && (error.problem.status === 0 || error.problem.status >= 500);
}
