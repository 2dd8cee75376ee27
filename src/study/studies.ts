// Every study there is, in the order of the paper.
import { activationStudy } from "./activation/study.ts";
import { bpeStudy } from "./bpe/study.ts";
import { normStudy } from "./norm/study.ts";
import { ropeStudy } from "./rope/study.ts";
import { scalingStudy } from "./scaling/study.ts";
import type { Study } from "./study.ts";

/** The studies in the order of the paper. */
export const studies: readonly Study[] = [normStudy, activationStudy, ropeStudy, bpeStudy, scalingStudy];
