export { fewRows, type MatmulForm, type MatmulSizes, matmul, packedBytes, packMatrix, rowsTimesMatrix } from "./matmul.ts";
