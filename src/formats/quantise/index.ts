export { isWritable, quantiseRows, type Rows, type WritableDType, writableDTypes } from "./quantise-rows.ts";
