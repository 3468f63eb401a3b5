// The part of a page that uses the package: it connects when a button is pressed.
import { Ballast, type Health, parseDeployment } from "ballast";
import { displayWad } from "ballast/units";
import { JsonRpcProvider } from "ethers";

export async function show(url: string, deployment: string, account: `0x${string}`): Promise<string> {
  const ballast = await Ballast.connect(new JsonRpcProvider(url), parseDeployment(deployment));
  const { equityMaintenanceWad, healthWad }: Health = await ballast.health(account);
  return `${displayWad(equityMaintenanceWad)} (health ${healthWad === undefined ? "-" : displayWad(healthWad)})`;
}

Object.assign(globalThis, { show });
