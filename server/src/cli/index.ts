/** The command line: one file a command. */
export type { CliDeps, CliProduct, Finding } from './deps.ts';
export { type Output, standardOutput } from './output.ts';
export { runCli } from './program.ts';
