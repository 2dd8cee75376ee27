export { type AttentionSizes, attention, attentionGradient, type CachedAttentionSizes, cachedAttention, cacheWrite } from "./attention.ts";
export { fewRows, type MatmulForm, type MatmulSizes, matmul, packedBytes, packMatrix, rowsTimesMatrix } from "./matmul.ts";
