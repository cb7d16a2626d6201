import { describe, expect, it } from 'vitest';
import { type EnginesUnderTest, eventually } from '../conformance.ts';
import type { RingPayload } from './listeners.ts';
import { maxRingBytes } from './listeners.ts';

export function doorbellConformance(under: EnginesUnderTest): void {
  describe(`the doorbell on ${under.name}`, () => {
    it('is heard in every process that listens, the ringing one too', async () => {
      const [one, two] = [await under.open(), await under.open()];
      const heard: string[] = [];
      await one.doorbell.listen('account.changed', ({ id }) => heard.push(`one ${id}`));
      await two.doorbell.listen('account.changed', ({ id }) => heard.push(`two ${id}`));
      await one.doorbell.ring('account.changed', { id: 'a"\'\\é', at: 7, none: null });
      await eventually(() => expect(heard.sort()).toEqual(['one a"\'\\é', 'two a"\'\\é']));
    });

    it('carries the payload as it was given', async () => {
      const bell = (await under.open()).doorbell;
      const heard: RingPayload[] = [];
      await bell.listen('full', (payload) => heard.push(payload));
      await bell.listen('empty', (payload) => heard.push(payload));
      await bell.ring('full', { text: 'ñ 😀', count: 1.5, none: null });
      await bell.ring('empty');
      await eventually(() => expect(heard).toEqual([{ text: 'ñ 😀', count: 1.5, none: null }, {}]));
    });

    it('is heard by who listens to that topic, for as long as he does', async () => {
      const [one, two] = [await under.open(), await under.open()];
      const heard: string[] = [];
      const stop = await two.doorbell.listen('left', () => heard.push('left'));
      await two.doorbell.listen('stays', () => heard.push('stays'));
      await one.doorbell.ring('left');
      await eventually(() => expect(heard).toEqual(['left']));
      await stop();
      await one.doorbell.ring('left');
      await one.doorbell.ring('other');
      await one.doorbell.ring('stays');
      await eventually(() => expect(heard).toEqual(['left', 'stays']));
    });

    it('goes on when a listener fails', async () => {
      const bell = (await under.open()).doorbell;
      const heard: string[] = [];
      await bell.listen('shaky', () => {
        throw new Error('this listener fails');
      });
      await bell.listen('shaky', () => heard.push('shaky'));
      await bell.ring('shaky');
      await eventually(() => expect(heard).toEqual(['shaky']));
    });

    it('loses none of many', async () => {
      const [one, two] = [await under.open(), await under.open()];
      const heard = new Set<unknown>();
      await two.doorbell.listen('many', ({ n }) => heard.add(n));
      await Promise.all(Array.from({ length: 1_000 }, (_, n) => one.doorbell.ring('many', { n })));
      await eventually(() => expect(heard.size).toBe(1_000));
    });

    it('takes a ring of the greatest size and refuses a greater', async () => {
      const bell = (await under.open()).doorbell;
      const heard: number[] = [];
      await bell.listen('large', ({ text }) => heard.push(String(text).length));
      const room = maxRingBytes - JSON.stringify({ text: '' }).length;
      await bell.ring('large', { text: 'x'.repeat(room) });
      await eventually(() => expect(heard).toEqual([room]));
      await expect(bell.ring('large', { text: 'x'.repeat(room + 1) })).rejects.toThrow('4000 bytes');
      await expect(bell.ring('Wrong Topic')).rejects.toThrow('a topic is');
      await expect(bell.ring('gap')).rejects.toThrow('a topic is');
    });

    it('calls the gap after a lost connection, and is heard again', async () => {
      const [one, two] = [await under.open(), await under.open()];
      const heard: string[] = [];
      let gaps = 0;
      await two.doorbell.listen('again', ({ n }) => heard.push(String(n)));
      two.doorbell.onGap(() => {
        gaps += 1;
      });
      expect(gaps).toBe(0);
      await under.cutDoorbell(1);
      await eventually(() => expect(gaps).toBe(1));
      await one.doorbell.ring('again', { n: 'after' });
      await eventually(() => expect(heard).toEqual(['after']));
      expect(gaps).toBe(1);
    });

    it('keeps the rings of a process whose connection is lost until it is back', async () => {
      const [one, two] = [await under.open(), await under.open()];
      const heard = new Set<unknown>();
      await two.doorbell.listen('kept', ({ n }) => heard.add(n));
      await under.cutDoorbell(0);
      await Promise.all(Array.from({ length: 20 }, (_, n) => one.doorbell.ring('kept', { n })));
      await eventually(() => expect(heard.size).toBe(20));
    });

    it('listens to what was asked for while the connection was lost', async () => {
      const [one, two] = [await under.open(), await under.open()];
      const heard: string[] = [];
      let gaps = 0;
      two.doorbell.onGap(() => {
        gaps += 1;
      });
      await under.cutDoorbell(1);
      await two.doorbell.listen('late', () => heard.push('late'));
      await eventually(() => expect(gaps).toBeGreaterThan(0));
      // A ring that falls into a second loss of the connection is lost, and a gap is called instead: so more than one.
      await eventually(async () => {
        await one.doorbell.ring('late');
        expect(heard).toContain('late');
      });
    });
  });
}
