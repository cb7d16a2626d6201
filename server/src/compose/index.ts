/** The only place that knows all names. */

export { channels } from './channels.ts';
export { type CommandSurroundings, createCommandDeps } from './command-deps.ts';
export { type DemoLogin, registerDemoNumbers, seedDemo } from './demo.ts';
export { examine } from './examine.ts';
export { openFoundation, openOwnerDatabase, readVersion } from './foundation.ts';
export { openProduct } from './product.ts';
export type { Product } from './rooms.ts';
export { rotateMasterKey } from './rotate-key.ts';
export { atLocalUrl, runServer } from './run-server.ts';
export { type RunningServer, serve } from './serve.ts';
export { startSimulatorBeside } from './simulator.ts';
