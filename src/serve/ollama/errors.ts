// The form of Ollama's errors: a sentence, whatever it is.
import type { RequestError } from "../request-error.ts";

/** The body of an error, which is that of an error in a stream, too. */
export function errorBody({ message, param }: RequestError): unknown {
  return { error: param === undefined || message.startsWith(param) ? message : `${param}: ${message}` };
}
