import type { Normalised, NormaliseInput } from '../channel.ts';
import { type Entry, readChanges, readEnvelope, unknownEntry } from '../graph/index.ts';
import { joinNormalised, readItems } from '../reading/index.ts';
import { readChange } from './changes.ts';
import { instagramBindings, readMessaging } from './messaging.ts';

const entryMembers = ['messaging', 'standby', 'changes', 'value'];

/** Every event of a delivery of Instagram or of a page. All four shapes of an entry are read, whichever login made them. */
export function normaliseInstagram(input: NormaliseInput): Normalised {
  return readEnvelope(input.body, { objects: ['instagram', 'page'], readEntry, readChange });
}

function readEntry(entry: Entry): Normalised {
  return joinNormalised([
    readItems(entry.part, 'messaging', (item) => readMessaging(item, entry, false)),
    readItems(entry.part, 'standby', (item) => readMessaging(item, entry, true)),
    readChanges(entry, readChange),
    unknownEntry(entry, entryMembers, instagramBindings(entry)),
  ]);
}
