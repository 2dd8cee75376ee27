// A step of cleaning of one's own, which recipes name by its path: steps: [gopherQuality, ./step.mjs]
import { documentStep } from "cria/data";

export default documentStep({
  name: "noShouting",
  summary: "drops texts in capitals",
  reasons: { capitals: "is written in capitals" },
  apply(document) {
    const capitals = document.text.match(/\p{Lu}/gu)?.length ?? 0;
    return capitals > document.characters / 2 ? { reason: "capitals", measured: capitals } : document;
  },
});
