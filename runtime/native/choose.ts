/** Which level of a bundle's native kernels this processor runs, and the device for it. */
import type { ManifestLevel, ManifestNativeTarget } from "../../compiler/6-bundle/manifest.js";
import { moecError } from "../../compiler/errors/raise.js";
import type { NativeChoice } from "../host.js";
import { makeNativeDevice } from "./device.js";
import { ownPlatform } from "../node/platform.js";
import { libc } from "./libc.js";
import { missingFeatures, whyNotLevel, whyWithout } from "./processor.js";
import { verifyFiles } from "./verified.js";

/**
 * The first level that the processor has; they are listed best first.
 *
 * @throws MoecError MOE4280 when they are for another system or processor, MOE4203 when this is no system for native code,
 * MOE4204 when the processor lacks all levels.
 */
export function chooseLevel(target: ManifestNativeTarget): NativeChoice {
  if (target.platform !== ownPlatform) {
    const levels = target.levels.map(({ level }) => level).join(", ");
    throw moecError("MOE4280", { platform: target.platform, levels, here: ownPlatform });
  }
  // Refuses systems without the package that calls native code.
  libc();
  const reasons = target.levels.map(({ level, needs }) => whyNotLevel(level, needs));
  const chosen = reasons.indexOf(undefined);
  const level = target.levels[chosen];
  if (!level) throw noLevel(target.levels);
  const whyNotBetter = reasons.slice(0, chosen).join("; ");
  return {
    level,
    open: ({ plan, object, parallelism, threads, texts, weights, verify }) => {
      const count = threads ?? parallelism;
      const whyOneThread = threads === 1 ? "one was asked for" : count === 1 ? "the machine has one core" : undefined;
      if (weights && verify !== false) verifyFiles(weights, verify === true);
      const device = makeNativeDevice({
        plan,
        object,
        file: level.object,
        level: level.level,
        scratchBytes: level.scratchBytes,
        threads: count,
        why: {
          ...(whyOneThread === undefined ? {} : { whyOneThread }),
          ...(chosen === 0 ? {} : { whyNotBetter }),
        },
        ...(texts === undefined ? {} : { texts }),
        ...(weights ? { weights } : {}),
      });
      return Promise.resolve(device);
    },
  };
}

function noLevel(levels: readonly ManifestLevel[]): Error {
  const least = levels.map(({ needs }) => missingFeatures(needs)).sort((a, b) => a.length - b.length)[0];
  return moecError("MOE4204", {
    levels: levels.map(({ level }) => level).join(", ") || "no processor",
    reason: least ? whyWithout(least) : "it names none",
  });
}
