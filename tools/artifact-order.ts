import { definePlugin } from "hardhat/plugins";
import type { HardhatPlugin } from "hardhat/types/plugins";

/**
 * TypeChain writes its indexes in the order in which the file system happens to list the artifacts, so two machines would
 * generate different files from the same sources. Hardhat hands the same list to every plugin: listed before TypeChain,
 * this one sorts it in place. What only the parity check deploys has no types: it is left out.
 */
const artifactOrder: HardhatPlugin = definePlugin({
  id: "artifact-order",
  hookHandlers: {
    solidity: async () => ({
      default: async () => ({
        async processArtifactsAfterSuccessfulBuild(_context, artifactPaths) {
          const typed = artifactPaths.filter((path) => !path.includes("/artifacts/parity/")).toSorted();
          (artifactPaths as string[]).splice(0, artifactPaths.length, ...typed);
        },
      }),
    }),
  },
});

export default artifactOrder;
