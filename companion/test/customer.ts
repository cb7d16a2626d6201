/** A customer's phone: its own Signal keys, with which it reads what it is sent and writes what the session must read. */
import {
  type AuthenticationState,
  addTransactionCapability,
  type BinaryNode,
  generateSignalPubKey,
  getBinaryNodeChild,
  getBinaryNodeChildBuffer,
  getBinaryNodeChildren,
  getBinaryNodeChildUInt,
  initAuthCreds,
  proto,
  type SignalDataTypeMap,
} from '@whiskeysockets/baileys';
import { makeLibSignalRepository } from '@whiskeysockets/baileys/lib/Signal/libsignal.js';
import { encodeBigEndian, unpadRandomMax16, writeRandomPadMax16 } from '@whiskeysockets/baileys/lib/Utils/generics.js';
import { libraryLog } from '../src/baileys/library-log.ts';
import { silentLog } from '../src/log.ts';

export class Customer {
  readonly digits: string;
  readonly #creds = initAuthCreds();
  readonly #repository;
  readonly #kept = memoryKeys();
  /** By session: of what it has left, a pre-key is good for one beginning. */
  readonly #met = new Map<string, BinaryNode>();
  #preKeys = 0;

  constructor(digits: string) {
    this.digits = digits;
    const logger = libraryLog(silentLog);
    const keys = addTransactionCapability(this.#kept, logger, { maxCommitRetries: 1, delayBetweenTriesMs: 1 });
    this.#repository = makeLibSignalRepository({ creds: this.#creds, keys }, logger, async () => []);
  }

  get jid(): string {
    return `${this.digits}@s.whatsapp.net`;
  }

  /** What the server hands out to whoever wants to write to this phone: each time with a pre-key that is good once. */
  async bundle(): Promise<BinaryNode[]> {
    this.#preKeys += 1;
    const preKey = signedKeyPairSync();
    await this.#kept.set({ 'pre-key': { [this.#preKeys]: preKey } });
    const { signedPreKey, signedIdentityKey, registrationId } = this.#creds;
    return [
      { tag: 'registration', attrs: {}, content: encodeBigEndian(registrationId) },
      { tag: 'type', attrs: {}, content: Buffer.from([5]) },
      { tag: 'identity', attrs: {}, content: signedIdentityKey.public },
      {
        tag: 'skey',
        attrs: {},
        content: [
          { tag: 'id', attrs: {}, content: encodeBigEndian(signedPreKey.keyId, 3) },
          { tag: 'value', attrs: {}, content: signedPreKey.keyPair.public },
          { tag: 'signature', attrs: {}, content: signedPreKey.signature },
        ],
      },
      {
        tag: 'key',
        attrs: {},
        content: [
          { tag: 'id', attrs: {}, content: encodeBigEndian(this.#preKeys, 3) },
          { tag: 'value', attrs: {}, content: preKey.public },
        ],
      },
    ];
  }

  /** The keys that the session has left with the server, taken up for writing to it. */
  async meet(sessionJid: string, uploaded: BinaryNode): Promise<void> {
    if (this.#met.get(sessionJid) === uploaded) return;
    this.#met.set(sessionJid, uploaded);
    const key = (node: BinaryNode) => ({
      keyId: getBinaryNodeChildUInt(node, 'id', 3)!,
      publicKey: generateSignalPubKey(getBinaryNodeChildBuffer(node, 'value')!),
      signature: getBinaryNodeChildBuffer(node, 'signature') ?? new Uint8Array(),
    });
    const [first] = getBinaryNodeChildren(getBinaryNodeChild(uploaded, 'list'), 'key');
    await this.#repository.injectE2ESession({
      jid: sessionJid,
      session: {
        registrationId: getBinaryNodeChildUInt(uploaded, 'registration', 4)!,
        identityKey: generateSignalPubKey(getBinaryNodeChildBuffer(uploaded, 'identity')!),
        signedPreKey: key(getBinaryNodeChild(uploaded, 'skey')!),
        preKey: key(first!),
      },
    });
  }

  async write(sessionJid: string, message: proto.IMessage): Promise<{ type: string; ciphertext: Uint8Array }> {
    const data = writeRandomPadMax16(proto.Message.encode(message).finish());
    return this.#repository.encryptMessage({ jid: sessionJid, data });
  }

  async read(sessionJid: string, enc: BinaryNode): Promise<proto.Message> {
    const type = enc.attrs.type as 'pkmsg' | 'msg';
    const plain = await this.#repository.decryptMessage({
      jid: sessionJid,
      type,
      ciphertext: enc.content as Uint8Array,
    });
    return proto.Message.decode(unpadRandomMax16(plain));
  }
}

function signedKeyPairSync() {
  return initAuthCreds().signedPreKey.keyPair;
}

function memoryKeys(): AuthenticationState['keys'] {
  const kept = new Map<string, unknown>();
  return {
    async get<Type extends keyof SignalDataTypeMap>(type: Type, ids: string[]) {
      const found = ids.map((id) => [id, kept.get(`${type}/${id}`)] as const);
      return Object.fromEntries(found.filter(([, value]) => value)) as Record<string, SignalDataTypeMap[Type]>;
    },
    async set(data) {
      for (const [type, values] of Object.entries(data))
        for (const [id, value] of Object.entries(values ?? {})) kept.set(`${type}/${id}`, value);
    },
  };
}
