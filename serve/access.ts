/** Who may ask: the key, and without one only this machine's own programs and this server's own page. */
import { createHash, timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { moecError } from "../compiler/errors/raise.js";

export interface AccessRules {
  readonly key?: string;
  /** Sites whose pages may call, such as `https://example.org`. */
  readonly origins: readonly string[];
}

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\]|::1)$/;

export function isLoopback(host: string): boolean {
  return LOOPBACK.test(host);
}

/**
 * @throws MoecError MOE5517 for a missing or wrong key; MOE5516 for a request of another site's page, and without a key
 * for one that names another host: a name that was bound to this address by somebody else.
 */
export function checkAccess(request: IncomingMessage, rules: AccessRules): void {
  const { origin, host = "" } = request.headers;
  if (origin !== undefined && !rules.origins.includes(origin) && !isOwn(origin, host)) {
    throw moecError("MOE5516", { reason: `pages of ${origin.slice(0, 200)} may not call this server` });
  }
  if (rules.key !== undefined) {
    if (!sameKey(request.headers.authorization, rules.key)) throw moecError("MOE5517", {});
  } else if (!isLoopback(host.replace(/:\d+$/, ""))) {
    throw moecError("MOE5516", { reason: `the request is addressed to ${host.slice(0, 200)}, not to this machine` });
  }
}

function isOwn(origin: string, host: string): boolean {
  return origin === `http://${host}` || origin === `https://${host}`;
}

/** Compares digests, whose length says nothing about the key. */
function sameKey(header: string | undefined, key: string): boolean {
  const given = /^Bearer (.+)$/i.exec(header ?? "")?.[1] ?? "";
  const digest = (text: string): Buffer => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(given), digest(key));
}
