/** Everything that the doors of one simulator share. Made once, in start.ts, and passed on; nothing here is global. */
import type { FaultBook } from '../faults/fault-book.ts';
import type { PostClient } from '../posting/post-client.ts';
import type { Poster } from '../posting/poster.ts';
import type { Clock } from './clock.ts';
import type { Ledger } from './ledger.ts';
import type { MediaStore } from './media.ts';
import type { Provider } from './number.ts';
import type { Random } from './random.ts';
import type { Registry } from './registry.ts';
import type { Settings } from './settings.ts';
import type { Stand } from './stand.ts';
import type { Threads } from './threads.ts';

export interface Urls {
  readonly phone: string;
  readonly graph: string;
  readonly twilio: string;
  readonly evolution: string;
  readonly webjs: string;
}

export interface World {
  readonly clock: Clock;
  readonly random: Random;
  readonly registry: Registry;
  readonly ledger: Ledger;
  readonly threads: Threads;
  readonly faults: FaultBook;
  readonly media: MediaStore;
  readonly settings: Settings;
  readonly poster: Poster;
  readonly client: PostClient;
  readonly stands: Readonly<Record<Provider, Stand>>;
  /** Known once the doors listen. */
  urls: Urls;
  readonly log: (line: string) => void;
}
