/** Where things are kept that can be made again: `MOEC_CACHE`, else the user's cache folder. */
import { homedir } from "node:os";
import { join } from "node:path";

export function cacheFolder(): string {
  const { MOEC_CACHE, XDG_CACHE_HOME } = process.env;
  if (MOEC_CACHE !== undefined && MOEC_CACHE !== "") return MOEC_CACHE;
  return join(
    XDG_CACHE_HOME !== undefined && XDG_CACHE_HOME !== "" ? XDG_CACHE_HOME : join(homedir(), ".cache"),
    "moec",
  );
}
