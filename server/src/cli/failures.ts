/** The person asked for something that cannot be: exit status 2, one line. */
export class WrongUse extends Error {
  override readonly name = 'WrongUse';
}

/** It could not be done: exit status 1, one line. */
export class CommandFailed extends Error {
  override readonly name = 'CommandFailed';
}
