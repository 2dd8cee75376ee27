// The form of Anthropic's errors (https://docs.anthropic.com/en/api/errors).
import type { ErrorKind, RequestError } from "../request-error.ts";

const types: Readonly<Record<ErrorKind, string>> = {
  invalid: "invalid_request_error",
  authentication: "authentication_error",
  forbidden: "permission_error",
  notFound: "not_found_error",
  methodNotAllowed: "invalid_request_error",
  tooLarge: "request_too_large",
  unsupportedMedia: "invalid_request_error",
  overloaded: "rate_limit_error",
  internal: "api_error",
  unavailable: "overloaded_error",
  timeout: "timeout_error",
};

/** The body of an error, which is that of an error event in a stream, too. */
export function errorBody({ kind, message, param }: RequestError): unknown {
  const named = param === undefined || message.startsWith(param) ? message : `${param}: ${message}`;
  return { type: "error", error: { type: types[kind], message: named } };
}
