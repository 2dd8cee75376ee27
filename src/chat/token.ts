// What a template is made of, before it is parsed.
/** A token of a template's source. */
export interface Token {
  readonly type: string;
  readonly value: string;
  /** Where it begins in the template, in UTF-16 units after line ends have become \n. */
  readonly at: number;
}

/** The template does not follow Jinja's grammar, or uses a part of it that is not supported. */
export class TemplateSyntaxError extends Error {
  readonly at: number;

  constructor(message: string, at: number) {
    super(message);
    this.at = at;
  }
}
