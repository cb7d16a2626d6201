/** What was found of one payload in one check. */
export interface Verdict {
  readonly check: 'normalised' | 'delivered' | 'handshake' | 'signature';
  readonly provider: string;
  readonly file: string;
  /** Absent: it passed. */
  readonly failure?: string;
  /** Passed, but worth saying. */
  readonly remark?: string;
  /** Events that another payload had told already: found, and rightly without effect. */
  readonly duplicates?: number;
}

const checks = ['normalised', 'delivered', 'handshake', 'signature'] as const;

/** One line a provider, then what failed and what is worth saying, by file. */
export function describeVerdicts(verdicts: readonly Verdict[]): string {
  const providers = [...new Set(verdicts.map(({ provider }) => provider))].sort();
  const rows = providers.map((provider) => [
    provider.padEnd(16),
    ...checks.map((check) => cellOf(verdicts.filter((one) => one.provider === provider && one.check === check))),
  ]);
  const head = ['provider'.padEnd(16), ...checks.map((check) => check.padEnd(12))].join(' ');
  const notes = verdicts.flatMap(({ check, file, failure, remark }) => {
    if (failure) return [`FAILED ${check}: ${file}: ${failure}`];
    return remark ? [`note ${check}: ${file}: ${remark}`] : [];
  });
  const duplicates = verdicts.reduce((sum, one) => sum + (one.duplicates ?? 0), 0);
  if (duplicates > 0)
    notes.push(`note delivered: ${duplicates} event(s) had come with another payload and were left alone`);
  return [head, ...rows.map((row) => row.join(' ').trimEnd()), ...notes].join('\n');
}

function cellOf(verdicts: readonly Verdict[]): string {
  if (verdicts.length === 0) return '–'.padEnd(12);
  const passed = verdicts.filter(({ failure }) => !failure).length;
  return `${passed}/${verdicts.length}`.padEnd(12);
}
