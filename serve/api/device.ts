/** `POST /moec/device`: the page runs the model on another device, once the texts that are being written have ended. */
import { moecError } from "../../compiler/errors/raise.js";
import type { Exchange, Served } from "../served.js";
import { describeModel } from "./page.js";
import { readDevice } from "./parameters.js";

/** @throws MoecError MOE5515 for a device that the bundle has no kernels for, MOE5520 for one that does not run here. */
export async function changeDevice(served: Served, exchange: Exchange): Promise<void> {
  const { device } = readDevice(await exchange.body());
  if (!served.devices.includes(device)) {
    throw moecError("MOE5515", { name: "device", reason: `the bundle has kernels for ${served.devices.join(", ")}` });
  }
  await served.changeDevice(device);
  describeModel(served, exchange);
}
