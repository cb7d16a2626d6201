/** The numbers that are connected, and by which of their provider's ids each is found. */
import { createNumber, keyOf, type NumberSettings, type Provider, type SimNumber } from './number.ts';

/** Names of the ids that find a number at its provider's door. */
const indexedIds = ['phoneNumberId', 'wabaId', 'instagramId', 'accountSid', 'instance', 'session'] as const;
export type IndexedId = (typeof indexedIds)[number];

/** Registering anew with an address is the whole truth about it, as at the first time. */
function forgetChanges({ webhook }: SimNumber): void {
  webhook.overrides = { number: null, account: null };
  webhook.isSubscribed = true;
  webhook.isEnabled = true;
  delete webhook.ownUrl;
}

export class Registry {
  readonly #numbers = new Map<string, SimNumber>();
  /** `idName:value` → numbers, first registered first (several Twilio senders share an AccountSid). */
  readonly #byId = new Map<string, SimNumber[]>();

  /** Registers, or changes the settings of, a number. Its windows, limits and connection live on. */
  put(settings: NumberSettings): SimNumber {
    const known = this.#numbers.get(keyOf(settings.provider, settings.number));
    if (known) this.#unindex(known);
    const number = known ? Object.assign(known, settings) : createNumber(settings);
    number.webhook.url = settings.webhookUrl ?? number.webhook.url;
    if (settings.webhookUrl !== null) forgetChanges(number);
    if (Object.keys(settings.headers).length > 0) number.webhook.headers = settings.headers;
    this.#numbers.set(number.key, number);
    this.#index(number);
    return number;
  }

  delete(provider: Provider, number: string): boolean {
    const known = this.#numbers.get(keyOf(provider, number));
    if (!known) return false;
    this.#unindex(known);
    return this.#numbers.delete(known.key);
  }

  clear(): void {
    this.#numbers.clear();
    this.#byId.clear();
  }

  find(provider: Provider, number: string): SimNumber | undefined {
    return this.#numbers.get(keyOf(provider, number));
  }

  findById(name: IndexedId, value: string): SimNumber | undefined {
    return this.#byId.get(`${name}:${value}`)?.[0];
  }

  allById(name: IndexedId, value: string): readonly SimNumber[] {
    return this.#byId.get(`${name}:${value}`) ?? [];
  }

  list(provider?: Provider): SimNumber[] {
    const all = [...this.#numbers.values()];
    return provider ? all.filter((number) => number.provider === provider) : all;
  }

  #index(number: SimNumber): void {
    for (const name of indexedIds) {
      const value = number.ids[name];
      if (!value) continue;
      const holders = this.#byId.get(`${name}:${value}`);
      if (holders) holders.push(number);
      else this.#byId.set(`${name}:${value}`, [number]);
    }
  }

  #unindex(number: SimNumber): void {
    for (const name of indexedIds) {
      const value = number.ids[name];
      const holders = value ? this.#byId.get(`${name}:${value}`) : undefined;
      if (!holders) continue;
      const rest = holders.filter((holder) => holder !== number);
      if (rest.length === 0) this.#byId.delete(`${name}:${value}`);
      else this.#byId.set(`${name}:${value}`, rest);
    }
  }
}
