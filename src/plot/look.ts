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

/** The same on a dark page, one for each. */
export const darkColours = [
  "#4aa3df",
  "#ff8a3d",
  "#2fc79b",
  "#e08fc0",
  "#8ccbf2",
  "#f2bd4b",
  "#a98bdb",
  "#b0b0b0",
  "#c49a6c",
  "#f0f0f0",
] as const;

/** Room for a character beside the frame, in pixels. */
export const characterWidth = 7;
