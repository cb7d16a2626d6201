/** The words of what may be asked for. Pure, and loads nothing of the server. */

export const runNames = [
  'crash-points',
  'soak',
  'postgres',
  'redis',
  'providers',
  'hostile',
  'noisy-neighbour',
  'herd',
] as const;
export type RunName = (typeof runNames)[number];

/** Bugs that the tests plant. */
export const plantNames = [
  'acknowledge-before-commit',
  'drop-the-unique-key',
  'release-the-lock-early',
  'resend-blindly',
  'apply-only-the-first-receipt',
] as const;
export type PlantName = (typeof plantNames)[number];

/** undefined: as each run has it by itself. */
export interface FaultOptions {
  readonly webhooks: number | undefined;
  readonly kills: number | undefined;
  readonly hits: number | undefined;
  readonly rate: number | undefined;
  readonly seed: number;
  /** Soak: with Redis for jobs, cache, counters and doorbell, which is struck too; undefined: where there is one. */
  readonly hasRedis: boolean | undefined;
  /** Of stages: where a freshly made one is kept, to begin from a copy of it. */
  readonly template: string | undefined;
}

export interface Asked {
  readonly what:
    | { readonly kind: 'run'; readonly name: RunName }
    | { readonly kind: 'plant'; readonly name: PlantName };
  readonly options: FaultOptions;
  /** False: the seed was drawn. */
  readonly isSeedGiven: boolean;
  readonly isJson: boolean;
  /** Where the parts that are done are kept. */
  readonly resume: string | undefined;
  /** undefined: this run is one more part of what the file holds. */
  readonly parts: number | undefined;
}

/** Said in one line, with exit status 2, before anything is begun. */
export class WrongUse extends Error {}
