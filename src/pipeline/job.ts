// What a pipeline works on, as plain data that threads and other machines are given: sources with their files, cut into tasks, and their steps.
import type { StepEntries } from "../clean/index.ts";
import type { FormName, TextOptions } from "../corpus/index.ts";
import type { JobPart } from "./job-parts.ts";

/** A file of a source. */
export interface JobFile {
  readonly path: string;
  /** What messages call it. */
  readonly name: string;
  /** What facts of documents call it: see `TextFile`. */
  readonly label: string;
  readonly form: FormName;
  /** The folder that it was found in. */
  readonly root: string;
  readonly bytes: number;
  /** When it was last changed, in milliseconds. */
  readonly changed: number;
}

/** A source, its files and what is done with their documents. */
export interface JobSource {
  readonly name: string;
  /** A hash of all that its tasks depend on, which their folder is called: see `identified`. */
  readonly id: string;
  /** What its files were found by, as the recipe names them. */
  readonly paths: readonly string[];
  readonly files: readonly JobFile[];
  /** How the files are read. */
  readonly text: TextOptions;
  /** One task per part in each pass. */
  readonly parts: readonly JobPart[];
  readonly steps: StepEntries;
  /** The files that steps name, such as models. */
  readonly stepFiles: readonly Omit<JobFile, "form" | "root" | "label">[];
}

/** All that a pipeline does. */
export interface PipelineJob {
  /** See `rulesVersion`. */
  readonly rules: number;
  /** Where intermediate files lie. */
  readonly folder: string;
  /** The folder that paths in steps start from. */
  readonly base: string;
  /** A part of a file that is cut has so many bytes. */
  readonly stretchBytes: number;
  /** Bytes of memory that a task takes for keys, tables and marks, from which the number of partitions follows. */
  readonly taskBytes: number;
  readonly sources: readonly JobSource[];
}
