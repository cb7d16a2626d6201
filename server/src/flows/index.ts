/** Flow definitions as data, their steps, and `advance`: (state, event, facts) → (state, effects). */
export { advance } from './advance.ts';
export {
  type Flow,
  type FlowDefinition,
  type FlowRefusal,
  type FlowSource,
  findStep,
  parseFlow,
} from './definition.ts';
export { demoFlow, demoFlowSource } from './demo-flow.ts';
export * from './flow.ts';
export { createFlows, type FlowSummary, type FlowsDoor } from './flow-store.ts';
export { foldedWords, foldText } from './folding.ts';
export { chooseLanguage, detectLanguage, languageOfPhone } from './languages.ts';
export { kindOf, type Step, type StepKindName, stepKinds } from './steps/index.ts';
export { defaultLanguage, type Language, languages, parseLanguage, sayIn, type TextKey, texts } from './texts/index.ts';
