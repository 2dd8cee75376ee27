// Every study there is, in the order of the paper.
import { normStudy } from "./norm.ts";
import { ropeStudy } from "./rope.ts";
import type { Study } from "./study.ts";

export const studies: readonly Study[] = [normStudy, ropeStudy];
