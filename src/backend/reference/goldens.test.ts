import { goldenConformance } from "../../model/golden-conformance.ts";
import { referenceBackend } from "./index.ts";

// What is left is the rounding of the stored numbers and of the hyper-parameters to float32.
goldenConformance("reference", referenceBackend, { logits: 1e-6, gradients: 1e-6, losses: 1e-6 });
