/** The list that lies beside a folder of payloads: what each file is and what it must lead to. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Provider, parseProvider } from '../../contract/src/index.ts';

export interface Entry {
  readonly file: string;
  /** As the manifest calls it: one of ours or an alias. */
  readonly providerName: string;
  readonly provider: Provider;
  readonly kind: string;
  readonly body: Buffer;
  readonly secret: string;
  readonly url: string;
  readonly signature: string;
  readonly header: string;
  readonly verifyToken: string;
  readonly expect: { readonly valid?: boolean; readonly status?: number | string; readonly body?: string };
}

export class NoManifest extends Error {
  override readonly name = 'NoManifest';
}

/** Throws NoManifest, one line, when there is none or it is not such a list. */
export function readManifest(folder: string): readonly Entry[] {
  const path = join(folder, 'manifest.json');
  if (!existsSync(path)) throw new NoManifest(`${folder} has no manifest.json`);
  const entries: unknown = parse(path);
  if (!Array.isArray(entries)) throw new NoManifest(`${path} is not a list`);
  return entries.map((entry: Record<string, unknown>) => readEntry(folder, entry));
}

function parse(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new NoManifest(`${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function readEntry(folder: string, entry: Record<string, unknown>): Entry {
  const text = (name: string) => (typeof entry[name] === 'string' ? entry[name] : '');
  const [file, providerName] = [text('file'), text('provider')];
  const provider = parseProvider(providerName);
  if (!provider) throw new NoManifest(`${file} is of an unknown provider "${providerName}"`);
  return {
    file,
    providerName,
    provider,
    kind: text('kind'),
    body: readFileSync(join(folder, file)),
    secret: text('secret'),
    url: text('url'),
    signature: text('signature'),
    header: text('header').toLowerCase(),
    verifyToken: text('verify_token'),
    expect: (entry.expect ?? {}) as Entry['expect'],
  };
}

export function isInbound({ kind }: Entry): boolean {
  return /^(webhook|waha\.event|baileys)\./.test(kind);
}

export function isHandshake({ kind }: Entry): boolean {
  return kind.startsWith('handshake.');
}

export function isSignatureVector({ kind }: Entry): boolean {
  return kind.startsWith('signature.vector');
}

/** A body that rightly holds nothing. */
export function isKnownEmpty({ kind }: Entry): boolean {
  return kind.split('.').includes('empty');
}

export function contentTypeOf({ file }: Entry): string {
  return file.endsWith('.form') ? 'application/x-www-form-urlencoded' : 'application/json';
}
