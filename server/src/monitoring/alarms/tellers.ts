/** How a target is reached. What is expected to fail comes back as a value; only a broken promise is thrown. */
export type Told = { readonly ok: true } | { readonly ok: false; readonly error: string };

/** A POST to an address that a tenant chose; compose puts the guard against addresses of our own network here. */
export interface CallOut {
  /** Null where the address may be called; else why not, in a sentence. */
  check(url: string): Promise<string | null>;
  /** One try, no redirect followed. Gives the status. Rejects when there was no answer within `timeoutMs`. */
  post(url: string, headers: Readonly<Record<string, string>>, body: string, timeoutMs: number): Promise<number>;
}
