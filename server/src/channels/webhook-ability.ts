/**
 * What a channel can do about the webhook that stands at its provider: see what is set there, set ours, put back what
 * was found. Whatever it finds may hold secrets (tokens in URLs, headers), so what keeps it seals it.
 */
import type { Failure } from '@switchyard/contract';
import type { Result } from '#kernel';
import type { SendingAccount, SendingNetwork } from './channel.ts';
import type { JsonValue } from './reading/index.ts';

/** Where at the provider it stands: what is nearer to the number beats what is further. */
export type WebhookLevel = 'instance' | 'number' | 'business-account' | 'app' | 'sender' | 'messaging-service';

export interface FoundWebhook {
  /** null: none is set, or (Instagram) the provider does not tell. */
  readonly url: string | null;
  readonly isEnabled: boolean;
  /** The provider's own names; null: it does not say. */
  readonly events: readonly string[] | null;
  readonly level: WebhookLevel;
  /** What `restore` needs to set it back, in the provider's own words. */
  readonly kept: JsonValue;
}

export interface WantedWebhook {
  readonly url: string;
  /** Names of the provider's; used where events can be chosen for one account. */
  readonly events: readonly string[];
}

export interface WebhookAbility {
  /** `url`: one click sets the whole of it. `events`: only what is sent; the URL stands in the app's dashboard. */
  readonly sets: 'url' | 'events';
  find(account: SendingAccount, network: SendingNetwork): Promise<Result<FoundWebhook, Failure>>;
  set(account: SendingAccount, wanted: WantedWebhook, network: SendingNetwork): Promise<Result<null, Failure>>;
  /** `replaced` is what stands there now; some providers take no empty URL. */
  restore(
    account: SendingAccount,
    webhooks: { readonly before: FoundWebhook; readonly replaced: FoundWebhook },
    network: SendingNetwork,
  ): Promise<Result<null, Failure>>;
}
