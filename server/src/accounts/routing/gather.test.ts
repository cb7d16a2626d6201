import { describe, expect, it } from 'vitest';
import { StorageUnavailable } from '#storage';
import { gatherLookUps } from './gather.ts';

/** A look-up that will not take what begins with `bad`, and what it was asked for each time. */
function refusingBad(failure: (key: string) => Error) {
  const asked: (readonly string[])[] = [];
  const lookUp = gatherLookUps<string>(async (keys) => {
    asked.push(keys);
    const bad = keys.find((key) => key.startsWith('bad'));
    if (bad !== undefined) throw failure(bad);
    return new Map(keys.filter((key) => key !== 'absent').map((key) => [key, `the ${key}`]));
  }, 8);
  return { lookUp, asked };
}

describe('what is looked up together', () => {
  it('is found together, and each asker hears of its own', async () => {
    const { lookUp, asked } = refusingBad((key) => new Error(key));
    expect(await Promise.all(['one', 'absent', 'two'].map(lookUp))).toEqual(['the one', null, 'the two']);
    expect(asked).toEqual([['one', 'absent', 'two']]);
  });

  it('fails for nobody but who asked for what cannot be looked up', async () => {
    const { lookUp, asked } = refusingBad((key) => new Error(`will not take ${key}`));
    const keys = ['one', 'bad 1', 'absent', 'two', 'three', 'four', 'five', 'bad 2'];
    const answers = await Promise.allSettled(keys.map(lookUp));
    expect(answers.map((one) => (one.status === 'fulfilled' ? one.value : (one.reason as Error).message))).toEqual([
      ...['the one', 'will not take bad 1', null, 'the two'],
      ...['the three', 'the four', 'the five', 'will not take bad 2'],
    ]);
    expect(asked.length).toBeLessThan(2 * keys.length);
  });

  it('fails for all at once where the database is away', async () => {
    const { lookUp, asked } = refusingBad(() => new StorageUnavailable('away'));
    const answers = await Promise.allSettled(['one', 'bad', 'two'].map(lookUp));
    expect(answers.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
    expect(asked).toHaveLength(1);
  });
});
