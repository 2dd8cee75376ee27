// The light DOM of @mozilla/readability, which has no types of its own.
declare module "@mozilla/readability/JSDOMParser.js" {
  /** Reads well-formed markup, in linear time. */
  export default class JSDOMParser {
    parse(markup: string, url?: string): Document;
  }
}
