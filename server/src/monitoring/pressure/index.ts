/** Back-pressure: what is held back, and when the gateway refuses. */
export { type Pressure, type PressureFacts, pressureOf, pressureSteps, watermarks } from './pressure.ts';
export { createPressureWatch, type PressureWatch } from './pressure-watch.ts';
