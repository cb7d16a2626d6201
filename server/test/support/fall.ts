/** Loaded before the program (`--import`): on SIGUSR2 the process falls as `FALL` says, by something that nobody catches. */
process.once('SIGUSR2', () => {
  switch (process.env.FALL) {
    case 'exception':
      throw new Error('a bug that nobody caught');
    case 'rejection':
      return void Promise.reject(new Error('a bug that nobody caught'));
    default:
      return fill();
  }
});

/** Until the limit of the heap is reached. */
function fill(): void {
  const kept: string[][] = [];
  for (;;) kept.push(Array.from({ length: 100_000 }, (_, index) => `${kept.length} ${index}`));
}
