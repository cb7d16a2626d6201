/** The only place that knows all names. */

export { channels } from './channels.ts';
export { type CommandSurroundings, createCommandDeps } from './command-deps.ts';
export { examine } from './examine/examine.ts';
export { openFoundation, openOwnerDatabase, readVersion } from './foundation.ts';
export { openProduct } from './product.ts';
export type { Product } from './rooms.ts';
export { rotateMasterKey } from './rotate-key.ts';
export { type DemoLogin, registerDemoNumbers, seedDemo } from './serving/demo.ts';
export { atLocalUrl, runServer } from './serving/run-server.ts';
export { type RunningServer, serve } from './serving/serve.ts';
export { startSimulatorBeside } from './serving/simulator.ts';
