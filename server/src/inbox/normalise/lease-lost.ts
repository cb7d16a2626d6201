/** Somebody else holds the lease by now: stop, and write nothing. */
export class LeaseLost extends Error {
  override readonly name = 'LeaseLost';
}
