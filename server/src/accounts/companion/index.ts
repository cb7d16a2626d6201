export * from './companion.ts';
export { type CompanionDeps, createCompanions } from './create-companions.ts';
