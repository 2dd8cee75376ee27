// The form of OpenAI's errors (https://platform.openai.com/docs/guides/error-codes), which clients make exceptions of by status, type and code.
import type { ErrorKind, RequestError } from "../request-error.ts";

const types: Readonly<Record<ErrorKind, string>> = {
  invalid: "invalid_request_error",
  authentication: "invalid_request_error",
  forbidden: "permission_error",
  notFound: "invalid_request_error",
  methodNotAllowed: "invalid_request_error",
  tooLarge: "invalid_request_error",
  unsupportedMedia: "invalid_request_error",
  overloaded: "rate_limit_error",
  internal: "server_error",
  unavailable: "server_error",
  timeout: "server_error",
};

/** An error as clients read it. */
export interface OpenAiError {
  readonly error: { readonly message: string; readonly type: string; readonly param: string | null; readonly code: string | null };
}

/** The body of an error, which is that of an error event in a stream, too. */
export function errorBody({ kind, message, param, code }: RequestError): OpenAiError {
  return { error: { message, type: types[kind], param: param ?? null, code: code ?? null } };
}
