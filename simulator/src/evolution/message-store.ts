/** Messages of the instances, both directions, for `chat/findMessages`. Bounded. */
import { BoundedMap } from '../world/bounded-map.ts';
import type { MessageKey } from './addresses.ts';

const MESSAGE_LIMIT = 50_000;

export interface EvolutionMessage {
  readonly instance: string;
  readonly key: MessageKey;
  readonly pushName: string;
  readonly message: Readonly<Record<string, unknown>>;
  readonly messageType: string;
  /** Seconds. */
  readonly messageTimestamp: number;
  readonly source: string;
  status: string;
}

export class EvolutionMessages {
  readonly #messages = new BoundedMap<string, EvolutionMessage>(MESSAGE_LIMIT);

  add(message: EvolutionMessage): void {
    this.#messages.set(`${message.instance} ${message.key.id}`, message);
  }

  get(instance: string, id: string): EvolutionMessage | undefined {
    return this.#messages.get(`${instance} ${id}`);
  }

  /** Newest first. */
  find(
    instance: string,
    wanted: { remoteJid?: string; id?: string; fromMe?: boolean; sinceSeconds?: number; untilSeconds?: number },
  ): EvolutionMessage[] {
    return [...this.#messages.values()]
      .filter(
        (message) =>
          message.instance === instance &&
          (wanted.remoteJid === undefined || message.key.remoteJid === wanted.remoteJid) &&
          (wanted.id === undefined || message.key.id === wanted.id) &&
          (wanted.fromMe === undefined || message.key.fromMe === wanted.fromMe) &&
          message.messageTimestamp >= (wanted.sinceSeconds ?? 0) &&
          message.messageTimestamp <= (wanted.untilSeconds ?? Number.MAX_SAFE_INTEGER),
      )
      .reverse();
  }
}
