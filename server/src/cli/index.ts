/** The command line: one file a command. */
export { askOnTerminal } from './confirm.ts';
export type { CliDeps, CliProduct, Finding, KeyRotation } from './deps.ts';
export { type Output, standardOutput } from './output.ts';
export { runCli } from './program.ts';
