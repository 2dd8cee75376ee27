// What check-docs holds the tree to, as data: the steps that the pages on the paper explain, the words that house language avoids, the terms that are
// glossed, and how comments begin.

/**
 * page → the steps of the explanation and what shows that the page has each: text that both languages have, or each its own.
 * What is code, a formula's part or a number stands as it is in the page.
 */
export const steps = {
  "README.md": [
    { step: "what a token is", en: '"token" (the pieces that text is cut into)', zh: "词元（token）是文本被切分成的单位" },
    { step: "what a loss is", both: "$-\\ln p$" },
    { step: "the unigram baseline", en: "the unigram baseline is", zh: "unigram baseline（一元基线，即只按词频预测的损失）" },
    { step: "what ± is", en: "± is the std", zh: "± 是标准差（std），除非另有说明，均指不同随机种子之间的标准差" },
  ],
  "data.md": [
    { step: "epochs by share", both: "e_s = \\frac{p_s \\cdot D}{N_s}" },
    { step: "table 1", both: "| 67.0 % | 3.3 TB | 1.10 |" },
    { step: "no cleaning here", en: "without any cleaning", zh: "不做任何清洗，原样使用" },
  ],
  "tokenizer.md": [
    { step: "the mark of the end of a word", both: "`l o w </w>`" },
    { step: "step 1, words and their counts", en: "1. Count the words", zh: "1. 统计文本中的词及词频" },
    { step: "step 2, pairs weighted by the words' counts", en: "2. Count all adjacent pairs", zh: "2. 以词频为权重" },
    { step: "step 3, merging the most frequent pair", en: "3. Merge the most frequent pair", zh: "3. 把出现次数最多的符号对" },
    { step: "the first stop condition", en: "the vocabulary has the wanted size", zh: "词表达到指定大小" },
    { step: "the second stop condition", en: "the maximal number of merges has been made", zh: "合并次数达到上限" },
    { step: "when no pair is left", en: "no pair is left", zh: "没有符号对可以合并" },
    { step: "no pair more than once", en: "no pair occurs more than once", zh: "没有任何符号对出现超过一次" },
    { step: "which pair, as a formula", both: "\\arg\\max_{(a,b)} \\sum_{w} c_w\\, n_w(a, b)" },
    { step: "the algorithm as code", both: "const best = mostFrequent(countPairs(words));" },
    { step: "the stop conditions as code", both: "while (learner.pieces.length < wanted && merges.length < maxMerges) {" },
    { step: "a small example", both: "est + </w>    9" },
    { step: "every digit alone", en: "**Every digit alone.**", zh: "**数字逐位切分。**" },
    { step: "byte fallback", both: "`<0xE4>`" },
  ],
  "model.md": [
    { step: "Pre-LN and Post-LN as formulas", both: "x + f(\\mathrm{norm}(x))" },
    { step: "Pre-LN and Post-LN as code", both: "return add(x, feedForward(ffnNorm(x)));" },
    { step: "the gradient's law with Post-LN", both: "O(d\\sqrt{\\ln d})" },
    { step: "the gradient's law with Pre-LN", both: "O(d\\sqrt{\\ln d / L})" },
    { step: "RMSNorm as a formula", both: "\\frac{x_i}{\\sqrt{\\frac{1}{d}\\sum_j x_j^2 + \\varepsilon}}" },
    { step: "RMSNorm as code", both: "1 / Math.sqrt(square /" },
    { step: "what RMSNorm's ε is for", en: "keeps the root away from zero", zh: "使根号下的值不为零" },
    { step: "ε of LLaMA", en: "| LLaMA (2023) | $10^{-6}$ |", zh: "| LLaMA（2023） | $10^{-6}$ |" },
    { step: "ε of LLaMA 2", both: "| LLaMA 2 | $10^{-5}$ |" },
    { step: "ε of LLaMA 3", both: "| LLaMA 3 | $10^{-5}$ |" },
    { step: "SwiGLU as a formula", both: "\\mathrm{Swish}_\\beta(x W_{\\mathrm{gate}}) \\odot x W_{\\mathrm{up}}" },
    { step: "SwiGLU as code", both: 'glu(required(gate, "ffn.gate").apply(x), up.apply(x)' },
    { step: "ReLU, GELU and Swish as code", both: "swish: { value: (x, beta) => x * sigmoid(beta * x)" },
    { step: "a GLU is a layer", en: "is a layer, not an activation", zh: "是一种层，而不是一种激活函数" },
    { step: "Bilinear", en: "without any activation Bilinear", zh: "不加激活函数则为 Bilinear" },
    { step: "what Swish's β does", en: "$\\beta$ says how sharply Swish bends", zh: "$\\beta$ 决定 Swish 弯曲的程度" },
    { step: "β in LLaMA", en: "LLaMA has $\\beta$ = 1", zh: "LLaMA 取 $\\beta$ = 1" },
    { step: "the 2/3 rule", both: "\\frac{2}{3} \\cdot 4d" },
    { step: "RoPE in two dimensions", en: "### Two dimensions", zh: "### 二维情形" },
    { step: "what RoPE is to fulfil", both: "\\langle f(q, m), f(k, n) \\rangle = g(q, k, m - n)" },
    { step: "RoPE in polar form", en: "### The polar form", zh: "### 极坐标形式" },
    { step: "vectors as complex numbers", both: "|\\tilde{x}|\\, e^{\\mathrm{i} \\varphi_x}" },
    { step: "RoPE's solution", both: "\\tilde{f}(x, m) = \\tilde{x}\\, e^{\\mathrm{i} m\\theta}" },
    { step: "θ_i", both: "\\theta_i = 10000^{-2i/d_{\\mathrm{head}}}" },
    { step: "the block-diagonal matrix", en: "a block-diagonal matrix", zh: "分块对角矩阵" },
    { step: "the matrix written out", both: "0 & 0 & \\cos m\\theta_1 & -\\sin m\\theta_1 & \\cdots & 0 & 0 \\\\" },
    { step: "the score depends on the distance", both: "\\langle R_{m-n}\\, q, k \\rangle" },
    { step: "the elementwise form", both: "x \\odot \\cos + \\mathrm{rotate}(x) \\odot \\sin" },
    { step: "the elementwise form by numbers", both: "// → [-2.2347, 0.077, 2.9194, 4.0592]" },
    { step: "RoPE as code", both: "y[a] = x[a]! * cos - x[b]! * sin;" },
    { step: "both pairings", both: "(i, i + d_{\\mathrm{head}}/2)" },
    { step: "attention as a formula", both: "\\frac{\\langle q_m, k_n \\rangle}{\\sqrt{d_{\\mathrm{head}}}}" },
  ],
  "training.md": [
    { step: "AdamW as formulas", both: "\\frac{m / (1-\\beta_1^t)}{\\sqrt{v / (1-\\beta_2^t)} + \\varepsilon} + \\lambda\\, \\theta" },
    { step: "gradient clipping", both: "\\min\\!\\big(1,\\; c / (\\lVert g \\rVert + 10^{-6})\\big)" },
    { step: "the schedule as a formula", both: "1 + \\cos \\pi \\frac{t - t_w}{T - t_w}" },
    { step: "the schedule as code", both: "if (step < warmupSteps) return" },
    { step: "a warm-up slows training", en: "It slows training", zh: "其一是拖慢训练" },
    { step: "a warm-up is one more thing to tune", en: "it is one more thing to tune", zh: "其二是多一个需要调节的超参数" },
    { step: "why Post-LN needs a warm-up", en: "With Post-LN there is no choice", zh: "使用 Post-LN 时没有选择余地" },
    { step: "why Pre-LN does without", en: "the warm-up can go", zh: "可以不用预热" },
  ],
  "efficiency.md": [
    { step: "the online softmax", both: "\\mu' = \\max(\\mu, \\max_j s_j)" },
    { step: "no masked scores", both: "attend(queryBlock, count, true);" },
    { step: "activation checkpointing", en: "## Activation checkpointing", zh: "（activation checkpointing）" },
    { step: "MFU", en: "MFU (model FLOPs utilisation)", zh: "MFU（model FLOPs utilisation" },
    { step: "ZeRO-1", both: "ZeRO-1" },
    { step: "all-reduce", both: "all-reduce" },
  ],
  "scaling.md": [
    { step: "operations of training", both: "C \\approx 6ND" },
    { step: "the law", both: "L(N, D) = E + \\frac{A}{N^{\\alpha}} + \\frac{B}{D^{\\beta}}" },
    { step: "the compute-optimal size", both: "\\left(\\frac{\\alpha A}{\\beta B}\\right)^{\\frac{1}{\\alpha+\\beta}}" },
    { step: "serving's operations", both: "$2NS$" },
    { step: "the cheapest life", both: "\\min_{N, D} \\; 6ND + 2NS" },
    { step: "1.23e22 against 6·N·D", both: "$6ND$ = 1.20e22" },
  ],
  "evaluation.md": [
    { step: "bits per byte", both: "\\mathrm{BPB} = \\frac{\\ell \\cdot n_{\\mathrm{tokens}}}{n_{\\mathrm{bytes}} \\cdot \\ln 2}" },
    { step: "energy and carbon", both: "m = 0.385\\, E" },
    { step: "what PUE is", en: "the energy of the data centre over that of its machines", zh: "数据中心总能耗与其机器能耗之比" },
  ],
};

/** A unit or a count, then "a" where "per" belongs: "nats a token". */
const rate =
  /\b(?:nats?|bits?|[kMG]?B|[MGT]FLOP\/s|[MG]B\/s|bytes|tokens|pieces|words|parameters|weights|operations|FLOPs?|FLOP\/s|ns|µs|multiply-adds|pairs|cycles|calls|products|windows|samples|documents|sequences|values|exponentials|metrics|files?|numbers|steps|hours|seconds|ms|MWh|kg|dollars|GPUs?|runs|sums|dots?|colours?|rows?|lines?|units?|quads|truth value) an? (?:token|step|second|minute|hour|day|parameter|layer|head|row|line|number|byte|sequence|seed|size|piece|kWh|batch|model|core|thread|call|run|block|document|window|accelerator|GPU|accelerator-hour|command|type|kind|choice|lane|panel|copy|key head)\b(?! time)/;

/** The same of things that are counted without a unit: "one a seed". */
const counted = /\b(?:one|once|two|three|four|bytes q|20) an? (?:token|step|line|row|layer|seed|lane|word|panel|unit|document|parameter)\b/;

/** What is avoided, and what to say instead. Held against the prose of documents and against the messages, help and comments of src and bench. */
export const words = [
  ...[rate, counted].map((avoid) => ({ avoid, say: '"per" for rates, as in "nats per token"' })),
  { avoid: /\bforetell|\bforetold/i, say: '"predict"' },
  { avoid: /\bnobody minds\b/i, say: '"makes no difference"' },
  { avoid: /\b(?:more|less) (?:daring|sober)\b/i, say: '"more random" or "less random"' },
  { avoid: /\bleav(?:e|es|ing) (?:\S+ )?away\b/i, say: '"omit" or "leave out"' },
  { avoid: /\bfrequencies only\b|tokens' frequencies/i, say: '"unigram baseline"' },
  { avoid: /\b(?:left the numbers|in no number|no number;)/i, say: '"diverged (NaN)"' },
  { avoid: /\bgradients? gathered\b/i, say: '"gradient accumulation"' },
  { avoid: /± deviation/i, say: '"± std"' },
  { avoid: /help: ["'`](?:of|by) /, say: "a subject: what the flag is, not only whose" },
  { avoid: /其实是一个论证/, say: "本质上是一个论证" },
  { avoid: /遥遥领先/, say: "明显更优" },
  { avoid: /学到的增益/, say: "可学习的增益" },
  { avoid: /什么都不用是/, say: "不加激活函数则为" },
  { avoid: /输入有多大，影响很大/, say: "输入尺度对结果影响很大" },
  { avoid: /一个不差|一字不差/, say: "完全一致" },
  { avoid: /谁都不在乎/, say: "有无预热几乎没有差别" },
  { avoid: /切分值多少/, say: "逐位切分的收益与代价" },
  { avoid: /有多干净/, say: "不做任何清洗，原样使用" },
  { avoid: /读写 \$S\$ 个词元/, say: "处理 S 个词元" },
  { avoid: /都是各随机种子之间的/, say: "均指不同随机种子之间的标准差" },
];

/** Terms that a page of a language explains where it first says them. */
export const glosses = { zh: [{ term: "词元", first: "词元（token）" }] };

const prepositions = [
  ...[
    "about",
    "above",
    "after",
    "against",
    "along",
    "among",
    "around",
    "as",
    "at",
    "before",
    "behind",
    "below",
    "beneath",
    "beside",
    "besides",
  ],
  ...[
    "between",
    "beyond",
    "but",
    "by",
    "despite",
    "down",
    "during",
    "except",
    "for",
    "from",
    "in",
    "inside",
    "into",
    "like",
    "near",
    "of",
    "off",
  ],
  ...["on", "onto", "out", "outside", "over", "past", "per", "since", "than", "through", "to", "toward", "towards", "under", "until", "up"],
  ...["upon", "via", "with", "within", "without"],
];

/** How no comment begins, as it then has no subject. A formula that begins with a name such as `to` is none. */
export const openings = new RegExp(`^(?:${prepositions.join("|")})\\b(?! \\(| [+−-]?= )`, "i");

/** Everything that a file of src exports has a docstring. */
export const documented = true;
