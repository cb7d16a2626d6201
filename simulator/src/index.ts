/**
 * The simulator's door. It stands in for Meta's Graph API (WhatsApp and Instagram), Twilio, Evolution API (v1 and v2)
 * and the web companion, and shares no code with the product: what it sends and checks is written from the providers'
 * documents, so that the two do not share a mistake.
 */

export { type Simulator, type SimulatorOptions, type SimulatorPorts, startSimulator } from './start.ts';
export type { LedgerEntry } from './world/ledger.ts';
export { LEDGER_LIMIT } from './world/ledger.ts';
export type { Settings } from './world/settings.ts';
