export {
  type AdamwSettings,
  type Backward,
  gatherGraph,
  type Hyper,
  hyperValues,
  stepGraph,
  type Update,
  updateGraph,
} from "./step-graphs.ts";
