/** Back-pressure: what is held back, and when the gateway refuses. */
export {
  laneTable,
  type Pressure,
  type PressureFacts,
  pressureOf,
  pressureSteps,
  type WorkLane,
  watermarks,
} from './pressure.ts';
export { createPressureWatch, type PressureWatch } from './pressure-watch.ts';
