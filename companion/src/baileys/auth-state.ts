/**
 * The library's keys in the session's store: `creds`, and `type/id` for each key. What it writes is there before it goes
 * on, so that no ratchet moves on that a second machine would not find.
 */
import type { AuthenticationState, SignalDataTypeMap } from '@whiskeysockets/baileys';
import type { SessionStore } from '../web-client.ts';

type Library = typeof import('@whiskeysockets/baileys');

const credsName = 'creds';
/** Names asked for or written in one request. */
const maxNames = 500;

export interface StoredAuth {
  readonly state: AuthenticationState;
  saveCreds(): Promise<void>;
}

export async function authStateOf(library: Library, store: SessionStore): Promise<StoredAuth> {
  const { BufferJSON, initAuthCreds, proto } = library;
  const encode = (value: unknown) => JSON.stringify(value, BufferJSON.replacer);
  const decode = (text: string): unknown => JSON.parse(text, BufferJSON.reviver);
  const kept = (await store.read([credsName]))[credsName];
  const creds = kept === undefined ? initAuthCreds() : (decode(kept) as AuthenticationState['creds']);
  return {
    state: {
      creds,
      keys: {
        async get<Type extends keyof SignalDataTypeMap>(type: Type, ids: string[]) {
          const found: Record<string, SignalDataTypeMap[Type]> = {};
          for (const some of slices(ids)) {
            const texts = await store.read(some.map((id) => nameOf(type, id)));
            for (const id of some) {
              const text = texts[nameOf(type, id)];
              if (text === undefined) continue;
              const value = decode(text);
              const isSyncKey = type === 'app-state-sync-key';
              const whole = isSyncKey ? proto.Message.AppStateSyncKeyData.fromObject(value as object) : value;
              found[id] = whole as SignalDataTypeMap[Type];
            }
          }
          return found;
        },
        async set(data) {
          const changes = Object.entries(data).flatMap(([type, values]) =>
            Object.entries(values ?? {}).map(
              ([id, value]) => [nameOf(type, id), value ? encode(value) : null] as const,
            ),
          );
          for (const some of slices(changes)) await store.write(Object.fromEntries(some));
        },
      },
    },
    saveCreds: () => store.write({ [credsName]: encode(creds) }),
  };
}

function nameOf(type: string, id: string): string {
  return `${type}/${id}`;
}

function slices<T>(all: readonly T[]): readonly (readonly T[])[] {
  return Array.from({ length: Math.ceil(all.length / maxNames) }, (_, index) =>
    all.slice(index * maxNames, (index + 1) * maxNames),
  );
}
