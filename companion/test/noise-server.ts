/**
 * The server's side of WhatsApp's handshake, Noise_XX_25519_AESGCM_SHA256, and of its frames. The library checks our
 * certificate against WhatsApp's own root, which nobody else can sign for: `trustStandIn` puts a root of ours in its place.
 */
import { createCipheriv, createDecipheriv, createHash, hkdfSync } from 'node:crypto';
import { type BinaryNode, Curve, decodeBinaryNode, encodeBinaryNode, proto } from '@whiskeysockets/baileys';
import { NOISE_MODE, NOISE_WA_HEADER, WA_CERT_DETAILS } from '@whiskeysockets/baileys/lib/Defaults/index.js';
import type { ServerSocket } from './web-socket-server.ts';

const root = Curve.generateKeyPair();
const intermediate = Curve.generateKeyPair();
const still = Curve.generateKeyPair();

/** In this process only. */
export function trustStandIn(): void {
  WA_CERT_DETAILS.PUBLIC_KEY.set(root.public);
}

/** For a companion in a process of its own, which `trust-root.ts` hands it to. */
export const standInRoot = Buffer.from(root.public).toString('base64');

function certificates(): Uint8Array {
  const { NoiseCertificate } = proto.CertChain;
  const middle = NoiseCertificate.Details.encode({
    serial: 1,
    issuerSerial: WA_CERT_DETAILS.SERIAL,
    key: intermediate.public,
  }).finish();
  const leaf = NoiseCertificate.Details.encode({ serial: 2, issuerSerial: 1, key: still.public }).finish();
  return proto.CertChain.encode({
    intermediate: { details: middle, signature: Curve.sign(root.private, middle) },
    leaf: { details: leaf, signature: Curve.sign(intermediate.private, leaf) },
  }).finish();
}

export interface NoiseConnection {
  /** What the client said of itself at the end of the handshake. */
  onHello: (hello: proto.IClientPayload, noiseKey: Uint8Array) => void;
  onNode: (node: BinaryNode) => void;
  send(node: BinaryNode): void;
}

type Phase = 'hello' | 'finish' | 'open';

export function noiseOver(socket: ServerSocket): NoiseConnection {
  const ephemeral = Curve.generateKeyPair();
  const state = newSymmetricState();
  let phase: Phase = 'hello';
  let waiting = Buffer.alloc(0);
  let hasIntro = false;
  let keys: { readonly write: Uint8Array; readonly read: Uint8Array } | null = null;
  const counters = { write: 0, read: 0 };
  const connection: NoiseConnection = {
    onHello: () => {},
    onNode: () => {},
    send(node) {
      if (!keys) throw new Error('the handshake is not done');
      sendFrame(seal(keys.write, counters.write++, encodeBinaryNode(node), Buffer.alloc(0)));
    },
  };
  // Frames are read one after another, though decoding a node takes a turn.
  let turn = Promise.resolve();
  socket.onMessage = (bytes) => {
    waiting = Buffer.concat([waiting, bytes]);
    if (!hasIntro) {
      if (waiting.length < NOISE_WA_HEADER.length) return;
      waiting = waiting.subarray(NOISE_WA_HEADER.length);
      hasIntro = true;
    }
    while (waiting.length >= 3) {
      const size = waiting.readUIntBE(0, 3);
      if (waiting.length < size + 3) return;
      const frame = waiting.subarray(3, size + 3);
      waiting = waiting.subarray(size + 3);
      turn = turn.then(() => take(frame));
    }
  };

  function sendFrame(data: Uint8Array): void {
    const size = Buffer.alloc(3);
    size.writeUIntBE(data.length, 0, 3);
    socket.send(Buffer.concat([size, data]));
  }

  async function take(frame: Buffer): Promise<void> {
    if (phase === 'hello') takeHello(frame);
    else if (phase === 'finish') takeFinish(frame);
    else if (keys) connection.onNode(await decodeBinaryNode(open(keys.read, counters.read++, frame, Buffer.alloc(0))));
  }

  function takeHello(frame: Buffer): void {
    const theirs = proto.HandshakeMessage.decode(frame).clientHello!.ephemeral!;
    state.authenticate(Buffer.from(NOISE_WA_HEADER));
    state.authenticate(theirs);
    state.authenticate(ephemeral.public);
    state.mix(Curve.sharedKey(ephemeral.private, theirs));
    const sealedStatic = state.seal(still.public);
    state.mix(Curve.sharedKey(still.private, theirs));
    const payload = state.seal(certificates());
    const serverHello = { ephemeral: ephemeral.public, static: sealedStatic, payload };
    sendFrame(proto.HandshakeMessage.encode({ serverHello }).finish());
    phase = 'finish';
  }

  function takeFinish(frame: Buffer): void {
    const finish = proto.HandshakeMessage.decode(frame).clientFinish!;
    const noiseKey = state.open(finish.static!);
    state.mix(Curve.sharedKey(ephemeral.private, noiseKey));
    const hello = proto.ClientPayload.decode(state.open(finish.payload!));
    const [read, write] = state.split();
    keys = { read, write };
    phase = 'open';
    connection.onHello(hello, noiseKey);
  }

  return connection;
}

/** Noise's symmetric state, as the protocol's text has it. */
function newSymmetricState() {
  let hash = Buffer.from(NOISE_MODE);
  let salt: Uint8Array = hash;
  let key: Uint8Array = hash;
  let counter = 0;
  const authenticate = (data: Uint8Array) => {
    hash = createHash('sha256').update(hash).update(data).digest();
  };
  return {
    authenticate,
    mix(shared: Uint8Array) {
      [salt, key] = derive(shared, salt);
      counter = 0;
    },
    seal(plain: Uint8Array): Buffer {
      const sealed = seal(key, counter++, plain, hash);
      authenticate(sealed);
      return sealed;
    },
    open(sealed: Uint8Array): Buffer {
      const plain = open(key, counter++, sealed, hash);
      authenticate(sealed);
      return plain;
    },
    split: () => derive(new Uint8Array(), salt),
  };
}

function derive(material: Uint8Array, salt: Uint8Array): [Uint8Array, Uint8Array] {
  const bytes = new Uint8Array(hkdfSync('sha256', material, salt, '', 64));
  return [bytes.slice(0, 32), bytes.slice(32)];
}

function nonceOf(counter: number): Buffer {
  const nonce = Buffer.alloc(12);
  nonce.writeUInt32BE(counter, 8);
  return nonce;
}

function seal(key: Uint8Array, counter: number, plain: Uint8Array, associated: Uint8Array): Buffer {
  const cipher = createCipheriv('aes-256-gcm', key, nonceOf(counter));
  cipher.setAAD(associated);
  return Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
}

function open(key: Uint8Array, counter: number, sealed: Uint8Array, associated: Uint8Array): Buffer {
  const decipher = createDecipheriv('aes-256-gcm', key, nonceOf(counter));
  decipher.setAAD(associated);
  decipher.setAuthTag(sealed.subarray(-16));
  return Buffer.concat([decipher.update(sealed.subarray(0, -16)), decipher.final()]);
}
