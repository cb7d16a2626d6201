import { type Problem, problemSchema } from '@switchyard/contract';

/** A refusal in the server's own words; `code` is stable and is what pages decide by. */
export class ProblemError extends Error {
  override readonly name = 'ProblemError';
  readonly problem: Problem;
  readonly retryAfterSeconds: number | null;

  constructor(problem: Problem, retryAfterSeconds: number | null = null) {
    super(problem.detail ?? problem.title);
    this.problem = problem;
    this.retryAfterSeconds = retryAfterSeconds;
  }

  get code(): string {
    return this.problem.code;
  }
}

/** What a proxy or a stopped server answers is no problem document: it gets the code that says so. */
export async function problemFrom(response: Response): Promise<ProblemError> {
  const parsed = problemSchema.safeParse(await response.json().catch(() => null));
  const seconds = Number(response.headers.get('retry-after') ?? Number.NaN);
  const retryAfterSeconds = Number.isFinite(seconds) ? seconds : null;
  if (parsed.success) return new ProblemError(parsed.data, retryAfterSeconds);
  const code = response.status >= 500 ? 'unavailable' : 'failed';
  return new ProblemError({ type: 'about:blank', title: response.statusText, status: response.status, code });
}

/** No answer at all. */
export const unreachable = (cause: unknown): ProblemError => {
  const error = new ProblemError({ type: 'about:blank', title: 'Unreachable', status: 0, code: 'unreachable' });
  error.cause = cause;
  return error;
};

export function codeOf(error: unknown): string {
  return error instanceof ProblemError ? error.code : 'failed';
}
