export type { Attributes, Example, ExampleInput, GradientContext, Op, Values } from "./op.ts";
export { alignment, type MemoryPlan, tensorBytes } from "./plan-memory.ts";
export { f32, Graph, i32, type Node, type Role, type Tensor, type TensorType } from "./tensor.ts";
