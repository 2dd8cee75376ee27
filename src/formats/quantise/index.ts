export { type ChosenLayout, type FileType, fileTypeNumber, fileTypeOf, fileTypes, layoutFor } from "./file-types.ts";
export { quantiseRows, type Rows, type WritableDType, writableDTypes } from "./quantise-rows.ts";
