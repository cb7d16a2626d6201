/** Makes one simulator: its world, its five doors, its end. The only place that knows all its parts. */

import { createEvolutionHandler } from './evolution/evolution-routes.ts';
import { createEvolutionStand } from './evolution/evolution-stand.ts';
import { EvolutionMessages } from './evolution/message-store.ts';
import { FaultBook } from './faults/fault-book.ts';
import { createGraphHandler } from './graph/graph-routes.ts';
import { instagramStand } from './graph/instagram-stand.ts';
import { whatsappStand } from './graph/whatsapp-stand.ts';
import { type Door, type Handler, openDoor } from './http/serve.ts';
import { PhoneEvents } from './phone/events.ts';
import { createPhoneHandler } from './phone/phone-routes.ts';
import { createPostClient } from './posting/post-client.ts';
import { Poster } from './posting/poster.ts';
import { Receipts } from './posting/receipts.ts';
import { TwilioContents } from './twilio/content-store.ts';
import { TwilioMessages } from './twilio/message-store.ts';
import { createTwilioHandler } from './twilio/twilio-routes.ts';
import { createTwilioStand } from './twilio/twilio-stand.ts';
import { createWebjsHandler } from './webjs/webjs-routes.ts';
import { createCompanionAnswers } from './webjs/webjs-send.ts';
import { webjsStand } from './webjs/webjs-stand.ts';
import { createClock } from './world/clock.ts';
import { Ledger } from './world/ledger.ts';
import { MediaStore } from './world/media.ts';
import { createRandom } from './world/random.ts';
import { Registry } from './world/registry.ts';
import { defaultSettings, type Settings } from './world/settings.ts';
import { Threads } from './world/threads.ts';
import type { Urls, World } from './world/world.ts';

export interface SimulatorPorts {
  readonly phone: number;
  readonly graph: number;
  readonly twilio: number;
  readonly evolution: number;
  readonly webjs: number;
}

export interface SimulatorOptions {
  /** 0 takes any free port. Default: 0 for each. */
  readonly ports?: Partial<SimulatorPorts>;
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** The same seed gives the same ids, faults and jitter. Default 1. */
  readonly seed?: number;
  /** Default: silent. */
  readonly log?: (line: string) => void;
  readonly settings?: Partial<Settings>;
  /** Entries kept in the ledger; default 200,000. */
  readonly ledgerLimit?: number;
}

export interface Simulator {
  readonly urls: Urls;
  /** Ends all connections and posts nothing more. */
  close(): Promise<void>;
}

const doorNames = ['phone', 'graph', 'twilio', 'evolution', 'webjs'] as const;
type DoorName = (typeof doorNames)[number];

/** Opens all five doors, or none: a port that is taken rejects and closes those that were open. */
export async function startSimulator(options: SimulatorOptions = {}): Promise<Simulator> {
  const stores = {
    messages: new TwilioMessages(),
    contents: new TwilioContents(),
    evolution: new EvolutionMessages(),
    companion: createCompanionAnswers(),
  };
  const world = createWorld(options, stores.messages, stores.evolution);
  const receipts = new Receipts(world);
  const keeper = { world, receipts };
  const events = new PhoneEvents(world);
  const handlers: Record<DoorName, Handler> = {
    phone: createPhoneHandler({ world, receipts }, events),
    graph: createGraphHandler(keeper),
    twilio: createTwilioHandler(keeper, stores),
    evolution: createEvolutionHandler(keeper, stores.evolution),
    webjs: createWebjsHandler(keeper, stores.companion),
  };
  const doors = await openDoors(options, handlers, world.log);
  world.urls = urlsOf(doors);
  return {
    urls: world.urls,
    close: async () => {
      events.close();
      await world.poster.close();
      await Promise.all([...doors.values()].map((door) => door.close()));
    },
  };
}

const noUrls: Urls = { phone: '', graph: '', twilio: '', evolution: '', webjs: '' };

function createWorld(options: SimulatorOptions, twilio: TwilioMessages, evolution: EvolutionMessages): World {
  const seed = options.seed ?? 1;
  const clock = createClock();
  const random = createRandom(seed);
  const ledger = new Ledger(options.ledgerLimit);
  const faults = new FaultBook(seed);
  const settings = { ...defaultSettings(), ...options.settings };
  const client = createPostClient();
  return {
    clock,
    random,
    ledger,
    faults,
    settings,
    client,
    registry: new Registry(),
    threads: new Threads(),
    media: new MediaStore(random),
    // Retries have a generator of their own: their jitter must not change the ids of messages.
    poster: new Poster({ clock, ledger, faults, settings, client, random: createRandom(seed + 1) }),
    stands: {
      meta: whatsappStand,
      instagram: instagramStand,
      twilio: createTwilioStand(twilio),
      evolution: createEvolutionStand(evolution),
      webjs: webjsStand,
    },
    urls: noUrls,
    log: options.log ?? (() => undefined),
  };
}

async function openDoors(
  options: SimulatorOptions,
  handlers: Record<DoorName, Handler>,
  log: (line: string) => void,
): Promise<Map<DoorName, Door>> {
  const doors = new Map<DoorName, Door>();
  try {
    for (const name of doorNames) {
      const port = options.ports?.[name] ?? 0;
      doors.set(name, await openDoor({ host: options.host ?? '127.0.0.1', port, log }, handlers[name]));
    }
    return doors;
  } catch (error) {
    await Promise.all([...doors.values()].map((door) => door.close()));
    throw error;
  }
}

function urlsOf(doors: ReadonlyMap<DoorName, Door>): Urls {
  const url = (name: DoorName) => doors.get(name)?.url ?? '';
  return {
    phone: url('phone'),
    graph: url('graph'),
    twilio: url('twilio'),
    evolution: url('evolution'),
    webjs: url('webjs'),
  };
}
