// What the charts have in common.

/** Told apart by everyone (Okabe & Ito 2008), the darker ones first: yellow is hard to see on white. */
export const colours = [
  "#0072b2",
  "#d55e00",
  "#009e73",
  "#cc79a7",
  "#56b4e9",
  "#e69f00",
  "#6a4c93",
  "#7a7a7a",
  "#8c5a2b",
  "#000000",
] as const;

/** Room for a character beside the frame, in pixels. */
export const characterWidth = 7;
