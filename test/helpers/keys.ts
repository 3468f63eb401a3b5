import { HDNodeWallet } from "ethers";

const mnemonic = "test test test test test test test test test test test junk";

/** A key of Hardhat's test mnemonic: what its nodes hold, and fund, from index 0 on. */
export function testKey(index: number): HDNodeWallet {
  return HDNodeWallet.fromPhrase(mnemonic, undefined, `m/44'/60'/0'/0/${index}`);
}
