export {
  codeLimits,
  createSecondFactors,
  type SecondFactorState,
  type SecondFactors,
} from './second-factors.ts';
export { codeOf, findStep, provisioningUri, stepAt, totp } from './totp.ts';
