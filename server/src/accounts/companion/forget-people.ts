/**
 * What a linked device keeps of people. The library names its keys after them (`session/4915…_1.0`, `lid-mapping/4915…`,
 * `device-list/…`, `sender-key/GROUP::4915…`), so an erased person's keys go whole. What they write afterwards is encrypted for
 * keys that are not here: the library asks for it again, and their phone begins a new session with it.
 */
import { SealBroken, type SealedPlace, type Sealer, type WorkspaceTx } from '#storage';
import { dropStatesNaming, findLidMappings, type SealedState } from './lease-store.ts';

export interface ForgetDeps {
  readonly sealer: Sealer;
  readonly placeOf: (id: string) => SealedPlace;
}

/** Of shorter numbers there are too many that mean something else: a device, a counter. */
const minDigits = 6;

/** Of every account of the workspace, in the caller's transaction; gives how many values went. */
export async function forgetPeople(
  deps: ForgetDeps,
  tx: WorkspaceTx,
  identityValues: readonly string[],
): Promise<number> {
  const known = identityValues.flatMap(digitsOf);
  if (known.length === 0) return 0;
  // A phone's number is kept under the LID and the LID under the number; often we know but one of them.
  const mapped = (await findLidMappings(tx, known)).flatMap((state) => digitsOf(textIn(deps, state)));
  return dropStatesNaming(tx, [...new Set([...known, ...mapped])]);
}

/** `+49…`, `49…`, `123@lid`. What does not begin with a number names nothing there. */
function digitsOf(value: string): readonly string[] {
  const [digits = ''] = /^\d+/.exec(value.replace(/^["+]+/, '')) ?? [];
  return digits.length >= minDigits ? [digits] : [];
}

/** What nobody can open tells of nobody: it goes by its name. */
function textIn({ sealer, placeOf }: ForgetDeps, { id, sealed }: SealedState): string {
  try {
    return sealer.openText(sealed, placeOf(id));
  } catch (error) {
    if (error instanceof SealBroken) return '';
    throw error;
  }
}
