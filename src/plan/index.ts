export { type FitOptions, type Freedom, fitLaw, type Interval, type LawFit, predictLoss, type RunPoint } from "./fit-law.ts";
export {
  type Allocation,
  laws,
  lossOf,
  optimumForCompute,
  optimumForLoss,
  optimumForParameters,
  optimumForTokens,
  parametersForLoss,
  rootRuleForCompute,
  type ScalingLaw,
  servingFlops,
  tokensForLoss,
  tokensPerParameter,
  trainingFlops,
} from "./law.ts";
