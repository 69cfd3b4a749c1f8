/** Where things are kept that can be made again: `MOEC_CACHE`, else the user's cache folder. */
import { homedir } from "node:os";
import { join } from "node:path";

/**
 * Undefined for a user whom the system does not know and whom the environment gives no home either, as containers run them.
 * A folder that everybody may make is no place instead: what is kept is run.
 */
export function cacheFolder(): string | undefined {
  const { MOEC_CACHE, XDG_CACHE_HOME } = process.env;
  if (MOEC_CACHE !== undefined && MOEC_CACHE !== "") return MOEC_CACHE;
  const caches = XDG_CACHE_HOME !== undefined && XDG_CACHE_HOME !== "" ? XDG_CACHE_HOME : homeCaches();
  return caches === undefined ? undefined : join(caches, "moec");
}

/** What is missing where there is no folder, in words. */
export const NO_CACHE_FOLDER = "this user has no home; MOEC_CACHE names a folder";

function homeCaches(): string | undefined {
  try {
    return join(homedir(), ".cache");
  } catch {
    return undefined;
  }
}
