/**
 * Our own PostgreSQL, from the programs that npm brings. Everything here is effect: processes, files, sockets.
 *
 * A cluster is used by any number of processes of one data folder (the server, a command beside it); see `hold.ts` for
 * who stops it. A process that was killed leaves the server running; the next one joins it.
 */
export { EmbeddedFailure, type EmbeddedFailureCode } from './failures.ts';
export { type EmbeddedCluster, type EmbeddedOptions, startEmbedded } from './start-embedded.ts';
