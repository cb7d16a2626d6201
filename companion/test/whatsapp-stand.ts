/**
 * WhatsApp as far as a linked device sees it: the handshake, codes to scan, a phone that scans them, log-in, keys left
 * with the server, messages to and from customers under Signal encryption, receipts, and closes of every kind.
 *
 * Written against what the library says and expects on the wire. It does not do groups, files, history and the state that
 * WhatsApp keeps of an app; other questions are answered with an empty result.
 */
import { createHmac } from 'node:crypto';
import {
  type BinaryNode,
  Curve,
  getAllBinaryNodeChildren,
  getBinaryNodeChild,
  getBinaryNodeChildren,
  proto,
} from '@whiskeysockets/baileys';
import { Customer } from './customer.ts';
import { type NoiseConnection, noiseOver, trustStandIn } from './noise-server.ts';
import { type ServerSocket, startWebSocketServer } from './web-socket-server.ts';

const server = 's.whatsapp.net';

export interface Received {
  readonly id: string;
  readonly to: string;
  readonly message: proto.Message;
}

interface Linked {
  readonly noise: NoiseConnection;
  readonly socket: ServerSocket;
  jid: string;
}

export class WhatsAppStand {
  /** What customers could read, each id once: a repeat of an id is the same message to WhatsApp. */
  readonly received: Received[] = [];
  /** Ids of all that came, repeats too. */
  readonly taken: string[] = [];
  /** Ids of customers' messages that a session has said to have. */
  readonly acknowledged: string[] = [];
  readonly customers = new Map<string, Customer>();
  /** Connections since the start, the refused ones too. */
  connections = 0;
  /** Codes asked for and not scanned yet: what a connection waits with. */
  #unlinked: Linked | null = null;
  /** By phone number: the connection that is logged in. A later one replaces it. */
  readonly #open = new Map<string, Linked>();
  readonly #keys = new Map<string, BinaryNode>();
  readonly #phone = Curve.generateKeyPair();
  readonly #waiting: (() => void)[] = [];
  #close: () => Promise<void> = async () => {};
  #serial = 0;
  /** While set, each connection is closed with this reason as soon as it has said who it is. */
  refuseWith: string | null = null;
  /** While true what is written had waited for the connection, which is not told that it has all of it now. */
  isCatchingUp = false;
  url = '';

  static async start(): Promise<WhatsAppStand> {
    trustStandIn();
    const stand = new WhatsAppStand();
    const { url, close } = await startWebSocketServer((socket) => stand.#opened(socket));
    stand.url = url;
    stand.#close = close;
    return stand;
  }

  close(): Promise<void> {
    return this.#close();
  }

  addCustomer(digits: string): Customer {
    const customer = new Customer(digits);
    this.customers.set(digits, customer);
    return customer;
  }

  /** Resolves once it holds; looks again whenever anything happens here. */
  async until(holds: () => boolean): Promise<void> {
    while (!holds()) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  isOpen(digits: string): boolean {
    return this.#open.has(digits);
  }

  /** The person's phone scans the code: what it says is `ref,noise key,identity key,secret,platform`. */
  scan(code: string, digits: string): void {
    const linked = this.#unlinked;
    if (!linked) throw new Error('no device waits to be linked');
    const [, , identityKey = '', secret = ''] = code.replace(/^https?:\/\/[^#]*#/, '').split(',');
    const identity = Buffer.from(identityKey, 'base64');
    const details = proto.ADVDeviceIdentity.encode({ rawId: 1, timestamp: nowSeconds(), keyIndex: 1 }).finish();
    const account = proto.ADVSignedDeviceIdentity.encode({
      details,
      accountSignatureKey: this.#phone.public,
      accountSignature: Curve.sign(this.#phone.private, Buffer.concat([Buffer.from([6, 0]), details, identity])),
    }).finish();
    const hmac = createHmac('sha256', Buffer.from(secret, 'base64')).update(account).digest();
    const content = proto.ADVSignedDeviceIdentityHMAC.encode({ details: account, hmac }).finish();
    linked.noise.send({
      tag: 'iq',
      attrs: { from: server, type: 'set', id: this.#id(), t: String(nowSeconds()) },
      content: [
        {
          tag: 'pair-success',
          attrs: {},
          content: [
            { tag: 'device-identity', attrs: {}, content },
            { tag: 'device', attrs: { jid: `${digits}:7@${server}`, lid: `9${digits}:7@lid` } },
            { tag: 'platform', attrs: { name: 'android' } },
          ],
        },
      ],
    });
    linked.jid = `${digits}:7@${server}`;
  }

  /** The connection ends without a word, as when a cable is pulled. */
  cut(digits: string): void {
    this.#open.get(digits)?.socket.close();
    this.#open.delete(digits);
  }

  /** The person unlinks the device at the phone. */
  unlink(digits: string): void {
    this.#fail(this.#linked(digits), '401');
  }

  /** A customer writes, under encryption. */
  async write(customer: Customer, digits: string, text: string, id: string): Promise<void> {
    const linked = this.#linked(digits);
    const keys = this.#keys.get(digits);
    if (!keys) throw new Error('the session has left no keys');
    await customer.meet(linked.jid, keys);
    const { type, ciphertext } = await customer.write(linked.jid, { conversation: text });
    const waited = this.isCatchingUp ? { offline: '0' } : {};
    linked.noise.send({
      tag: 'message',
      attrs: { from: customer.jid, id, t: String(nowSeconds()), type: 'text', notify: 'A customer', ...waited },
      content: [{ tag: 'enc', attrs: { v: '2', type }, content: ciphertext }],
    });
  }

  /** The customer's phone says that it has the message. */
  deliver(received: Received, digits: string): void {
    const attrs = { from: received.to, id: received.id, t: String(nowSeconds()) };
    this.#linked(digits).noise.send({ tag: 'receipt', attrs });
  }

  #opened(socket: ServerSocket): void {
    this.connections += 1;
    const noise = noiseOver(socket);
    const linked: Linked = { noise, socket, jid: '' };
    noise.onHello = (hello) => this.#hello(linked, hello);
    noise.onNode = (node) => void this.#take(linked, node);
    socket.onClose = () => {
      for (const [digits, open] of this.#open) if (open === linked) this.#open.delete(digits);
      if (this.#unlinked === linked) this.#unlinked = null;
      this.#happened();
    };
  }

  #hello(linked: Linked, hello: proto.IClientPayload): void {
    this.#happened();
    if (this.refuseWith) {
      this.#fail(linked, this.refuseWith);
      return;
    }
    if (hello.devicePairingData) {
      this.#unlinked = linked;
      const refs = Array.from({ length: 6 }, (_, index) => `2@stand-in-${this.#id()}-${index}`);
      linked.noise.send({
        tag: 'iq',
        attrs: { from: server, type: 'set', id: this.#id(), xmlns: 'md' },
        content: [
          {
            tag: 'pair-device',
            attrs: {},
            content: refs.map((ref) => ({ tag: 'ref', attrs: {}, content: Buffer.from(ref) })),
          },
        ],
      });
      return;
    }
    const digits = String(hello.username);
    const before = this.#open.get(digits);
    linked.jid = `${digits}:${hello.device}@${server}`;
    this.#open.set(digits, linked);
    if (before) this.#streamError(before, 'conflict', 'replaced');
    linked.noise.send({ tag: 'success', attrs: { t: String(nowSeconds()), lid: `9${digits}:7@lid` } });
    if (this.isCatchingUp) return;
    linked.noise.send({ tag: 'ib', attrs: {}, content: [{ tag: 'offline', attrs: { count: '0' } }] });
  }

  async #take(linked: Linked, node: BinaryNode): Promise<void> {
    if (node.tag === 'message') await this.#takeMessage(linked, node);
    else if (node.tag === 'receipt') this.acknowledged.push(node.attrs.id ?? '');
    else if (getBinaryNodeChild(node, 'pair-device-sign')) this.#streamError(linked, '515');
    else if (node.tag === 'iq' && node.attrs.type !== 'result') await this.#answer(linked, node);
    this.#happened();
  }

  async #answer(linked: Linked, node: BinaryNode): Promise<void> {
    const [asked] = getAllBinaryNodeChildren(node);
    const content = await this.#resultOf(linked, node, asked);
    const attrs = { from: server, type: 'result', id: node.attrs.id! };
    linked.noise.send({ tag: 'iq', attrs, ...(content ? { content } : {}) });
    if (asked?.tag === 'remove-companion-device') this.#fail(linked, '401');
  }

  async #resultOf(linked: Linked, node: BinaryNode, asked?: BinaryNode): Promise<BinaryNode[] | undefined> {
    const digits = linked.jid.split(/[:@]/)[0]!;
    if (node.attrs.xmlns === 'encrypt' && node.attrs.type === 'set' && getBinaryNodeChild(node, 'list')) {
      this.#keys.set(digits, node);
      return undefined;
    }
    switch (asked?.tag) {
      case 'count':
        return [{ tag: 'count', attrs: { value: this.#keys.has(digits) ? '30' : '0' } }];
      case 'digest':
        return [{ tag: 'digest', attrs: {} }];
      case 'key':
        return [{ tag: 'list', attrs: {}, content: await this.#bundles(asked) }];
      case 'usync':
        return [{ tag: 'usync', attrs: {}, content: [{ tag: 'list', attrs: {}, content: this.#users(asked) }] }];
      default:
        return undefined;
    }
  }

  async #bundles(asked: BinaryNode): Promise<BinaryNode[]> {
    const bundles: BinaryNode[] = [];
    for (const { attrs } of getBinaryNodeChildren(asked, 'user')) {
      const customer = this.#customerOf(attrs.jid!);
      if (customer) bundles.push({ tag: 'user', attrs: { jid: attrs.jid! }, content: await customer.bundle() });
    }
    return bundles;
  }

  /** Which devices there are, and whether a number is one of WhatsApp's. */
  #users(asked: BinaryNode): BinaryNode[] {
    const list = getBinaryNodeChild(asked, 'list');
    return getBinaryNodeChildren(list, 'user').map((user) => {
      const contact = getBinaryNodeChild(user, 'contact');
      const written = contact?.content ? Buffer.from(contact.content as Uint8Array).toString() : '';
      const digits = (written || user.attrs.jid || '').replace(/^\+/, '').split(/[:@]/)[0]!;
      const isKnown = this.customers.has(digits);
      const devices = isKnown ? [{ tag: 'device', attrs: { id: '0' } }] : [];
      return {
        tag: 'user',
        attrs: { jid: `${digits}@${server}` },
        content: [
          { tag: 'contact', attrs: { type: isKnown ? 'in' : 'out' } },
          ...(isKnown ? [{ tag: 'lid', attrs: { val: `8${digits}@lid` } }] : []),
          { tag: 'devices', attrs: {}, content: [{ tag: 'device-list', attrs: {}, content: devices }] },
        ],
      };
    });
  }

  async #takeMessage(linked: Linked, node: BinaryNode): Promise<void> {
    const { id = '', to = '' } = node.attrs;
    const customer = this.#customerOf(to);
    const enc = findEnc(node, (jid) => customer !== undefined && this.#customerOf(jid) === customer);
    linked.noise.send({ tag: 'ack', attrs: { class: 'message', id, from: to, t: String(nowSeconds()) } });
    const isRepeat = this.taken.includes(id);
    this.taken.push(id);
    if (!customer || !enc || isRepeat) return;
    // What a phone cannot read it asks for again in earnest (a receipt of the type retry); that is not played here.
    const message = await customer.read(linked.jid, enc).catch(() => null);
    if (message) this.received.push({ id, to, message });
  }

  /** By phone, or by the other name that WhatsApp gives the same person: an 8 before it. */
  #customerOf(jid: string): Customer | undefined {
    const user = jid.split(/[:@]/)[0] ?? '';
    return this.customers.get(jid.endsWith('@lid') ? user.slice(1) : user);
  }

  #linked(digits: string): Linked {
    const linked = this.#open.get(digits);
    if (!linked) throw new Error(`${digits} is not connected`);
    return linked;
  }

  #fail(linked: Linked, reason: string): void {
    linked.noise.send({ tag: 'failure', attrs: { reason, location: 'stand-in' } });
    linked.socket.close();
  }

  #streamError(linked: Linked, what: string, type?: string): void {
    const child = type ? [{ tag: what, attrs: { type } }] : [];
    const attrs: Record<string, string> = type ? {} : { code: what };
    linked.noise.send({ tag: 'stream:error', attrs, content: child });
    linked.socket.close();
  }

  #id(): string {
    this.#serial += 1;
    return `stand-${this.#serial}`;
  }

  #happened(): void {
    for (const look of this.#waiting.splice(0)) look();
  }
}

/** To a phone with one device the words stand in the message itself or under `participants`. */
function findEnc(node: BinaryNode, isTheirs: (jid: string) => boolean): BinaryNode | undefined {
  const direct = getBinaryNodeChild(node, 'enc');
  if (direct) return direct;
  const targets = getBinaryNodeChildren(getBinaryNodeChild(node, 'participants'), 'to');
  const target = targets.find(({ attrs }) => isTheirs(attrs.jid ?? ''));
  return target && getBinaryNodeChild(target, 'enc');
}

function nowSeconds(): number {
  return Math.floor(Date.now() / 1_000);
}
