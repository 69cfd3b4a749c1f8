/** From whatever a request's work threw to a status and the error shape of the OpenAI API. */
import { MoecError } from "../compiler/errors/moec-error.js";

/** Statuses of codes that are not the caller's plain 400. */
const STATUS: Readonly<Record<string, number>> = {
  MOE5513: 413,
  MOE5516: 403,
  MOE5517: 401,
  MOE5518: 404,
  MOE5519: 429,
  MOE5521: 503,
  MOE5522: 408,
  MOE5523: 404,
  MOE5525: 501,
};

/** Codes of requests that are wrong: bodies, parameters, prompts longer than the context, ids without a token. */
const CALLERS = new Set(["MOE5320", "MOE5321", "MOE5323", "MOE5207", "MOE5514", "MOE5515", "MOE5520", "MOE5524"]);

export interface Failure {
  readonly status: number;
  readonly body: {
    readonly error: {
      readonly message: string;
      readonly type: string;
      readonly param: string | null;
      readonly code: string;
    };
  };
}

export function failureOf(error: unknown): Failure {
  if (!(error instanceof MoecError)) {
    // What went wrong inside is for the log; the caller gets no paths and no stacks.
    return shaped(500, "internal_error", "the server made a mistake", "server_error");
  }
  const status = STATUS[error.code] ?? (CALLERS.has(error.code) ? 400 : 500);
  const type =
    status === 429
      ? "rate_limit_error"
      : status === 401
        ? "authentication_error"
        : status >= 500
          ? "server_error"
          : "invalid_request_error";
  const param =
    error.code === "MOE5515"
      ? (/^`([^`]+)`/.exec(error.message)?.[1] ?? null)
      : error.code === "MOE5523"
        ? "model"
        : null;
  return shaped(status, error.code, status === 500 ? "the model failed" : error.message, type, param);
}

function shaped(status: number, code: string, message: string, type: string, param: string | null = null): Failure {
  return { status, body: { error: { message, type, param, code } } };
}
