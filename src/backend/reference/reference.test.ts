import { conformance } from "../conformance.ts";
import { referenceBackend } from "./index.ts";

// Results cross the border as float32; everything else is exact.
conformance("reference", referenceBackend, { tolerance: 1e-7 });
