// A thread that writes rows in a layout, order by order: see quantise-threads.ts.
import { answerOrders } from "../files/index.ts";
import { quantiseRows, type Rows, type WritableDType } from "../formats/index.ts";

/** Rows, and the layout that they are written in. */
export interface QuantiseOrder extends Rows {
  readonly dtype: WritableDType;
}

answerOrders<QuantiseOrder>(async ({ dtype, ...rows }) => quantiseRows(dtype, rows));
