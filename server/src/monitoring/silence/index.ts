export { judgeSilence, rhythmLimits, type Verdict } from './silence.ts';
export { type ListeningAccount, loadListening } from './silence-store.ts';
