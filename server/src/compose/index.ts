/** The only place that knows all names. */
export { type DemoLogin, registerDemoNumbers, seedDemo } from './demo.ts';
export { examine } from './examine.ts';
export { openFoundation, openOwnerDatabase } from './foundation.ts';
export { channels, openProduct, type Product } from './product.ts';
export { runServer } from './run-server.ts';
export { type RunningServer, serve } from './serve.ts';
export { startSimulatorBeside } from './simulator.ts';
