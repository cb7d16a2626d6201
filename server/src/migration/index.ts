/** The engine that moves a team off its legacy system, and `sources/<legacy>/`. Touches live rooms through their doors. */
export * from './source.ts';
