// Every study there is, in the order of the paper.
import { activationStudy } from "./activation.ts";
import { bpeStudy } from "./bpe.ts";
import { normStudy } from "./norm.ts";
import { ropeStudy } from "./rope.ts";
import { scalingStudy } from "./scaling.ts";
import type { Study } from "./study.ts";

export const studies: readonly Study[] = [normStudy, activationStudy, ropeStudy, bpeStudy, scalingStudy];
