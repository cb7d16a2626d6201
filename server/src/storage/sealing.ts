/**
 * Secrets at rest: AES-256-GCM under a master key, with the place where the value lives as associated data, so that a
 * sealed value moved to another row, column or table does not open.
 */

/** Where a sealed value lives: table, column and the row's id. */
export interface SealedPlace {
  readonly table: string;
  readonly column: string;
  readonly row: string;
}

export interface Sealer {
  seal(plain: string | Uint8Array, place: SealedPlace): Buffer;
  /** Throws when the value was made for another place, by an unknown key, or was changed. */
  open(sealed: Uint8Array, place: SealedPlace): Buffer;
  openText(sealed: Uint8Array, place: SealedPlace): string;
  /** The id of the key that sealed this value; rotation looks for those that are not `currentKeyId`. */
  keyIdOf(sealed: Uint8Array): string;
  readonly currentKeyId: string;
}
