/**
 * libsignal, on which the library stands, writes whole session records to the console, private keys and all. What it says
 * there is dropped; what others say is passed on.
 */
const methods = ['log', 'info', 'warn', 'error', 'debug'] as const;
let isQuiet = false;

export function quietenLibsignal(target: Pick<Console, (typeof methods)[number]> = console): void {
  if (isQuiet && target === console) return;
  isQuiet ||= target === console;
  for (const method of methods) {
    const spoken = target[method].bind(target);
    target[method] = (...words: unknown[]) => {
      if (!isLibsignal(new Error('who speaks?').stack)) spoken(...words);
    };
  }
}

function isLibsignal(stack: string | undefined): boolean {
  return /[\\/]node_modules[\\/]libsignal[\\/]/.test(stack ?? '');
}
